// Starts `asyncvet lsp` and says how it is doing. All else is the server's business.

import * as vscode from "vscode";
import { type Executable, LanguageClient, RevealOutputChannelOn, State } from "vscode-languageclient/node";

interface PythonExtension {
  environments?: { getActiveEnvironmentPath(): { path: string } };
}

let client: LanguageClient | undefined;
let pending: Promise<void> = Promise.resolve();

export function activate(context: vscode.ExtensionContext): void {
  const output = vscode.window.createOutputChannel("asyncvet", { log: true });
  const status = vscode.languages.createLanguageStatusItem("asyncvet", { language: "python" });
  status.name = "asyncvet";
  status.command = { command: "asyncvet.restart", title: "Restart" };

  // One start or stop after the other: a second restart waits for the first.
  const restart = (): Promise<void> => (pending = pending.then(() => stop()).then(() => start(output, status)));

  context.subscriptions.push(
    output,
    status,
    vscode.commands.registerCommand("asyncvet.restart", restart),
    vscode.commands.registerCommand("asyncvet.showOutput", () => output.show()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("asyncvet.interpreter") || event.affectsConfiguration("asyncvet.arguments")) {
        void restart();
      }
    }),
  );
  void restart();
}

export function deactivate(): Promise<void> {
  return pending.then(() => stop());
}

async function start(output: vscode.LogOutputChannel, status: vscode.LanguageStatusItem): Promise<void> {
  const server = await executable();
  const settings = vscode.workspace.getConfiguration("asyncvet");
  client = new LanguageClient("asyncvet", "asyncvet", server, {
    documentSelector: [{ scheme: "file", language: "python" }],
    initializationOptions: { python: settings.get<string | null>("python") },
    outputChannel: output,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    synchronize: { configurationSection: "asyncvet" },
  });
  client.onDidChangeState((change) => show(status, change.newState));
  try {
    await client.start();
  } catch (error) {
    complain(server, error, output);
  }
}

async function stop(): Promise<void> {
  const running = client;
  client = undefined;
  try {
    await running?.dispose();
  } catch {
    // It was never started, or is gone already.
  }
}

async function executable(): Promise<Executable> {
  const settings = vscode.workspace.getConfiguration("asyncvet");
  const command = settings.get<string>("interpreter") || (await selectedInterpreter()) || "python3";
  // Without -P, Python would first look for modules in the folder that is opened.
  return { command, args: ["-P", "-m", "asyncvet", "lsp", ...settings.get<string[]>("arguments", [])] };
}

async function selectedInterpreter(): Promise<string | undefined> {
  const python = vscode.extensions.getExtension<PythonExtension>("ms-python.python");
  try {
    const api = await python?.activate();
    return api?.environments?.getActiveEnvironmentPath().path;
  } catch {
    return undefined;
  }
}

function show(status: vscode.LanguageStatusItem, state: State): void {
  status.busy = state === State.Starting;
  const runs = state === State.Starting || state === State.Running;
  status.text = state === State.Starting ? "asyncvet starts" : runs ? "asyncvet" : "asyncvet is stopped";
  status.severity = runs ? vscode.LanguageStatusSeverity.Information : vscode.LanguageStatusSeverity.Error;
}

function complain(server: Executable, error: unknown, output: vscode.LogOutputChannel): void {
  output.error(String(error));
  const message =
    `asyncvet could not be started with ${server.command}. ` +
    "Install it there (pip install 'asyncvet[lsp]'), or name another Python in the setting asyncvet.interpreter.";
  const settings = "Open Settings";
  const details = "Show Output";
  void vscode.window.showErrorMessage(message, settings, details).then((choice) => {
    if (choice === settings) {
      void vscode.commands.executeCommand("workbench.action.openSettings", "asyncvet.interpreter");
    } else if (choice === details) {
      output.show();
    }
  });
}
