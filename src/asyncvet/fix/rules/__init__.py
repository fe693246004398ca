"""The fixes of each rule, in a module with the rule's name: `fix` drafts one for a finding, or says why there is none."""
