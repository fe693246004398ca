"""The harm lab: what each bad pattern of the checklist costs, measured on the farm."""
