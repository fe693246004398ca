// The chat page: streams answers, shows their sources, and watches documents being read.

const talk = document.querySelector("#talk");
const ask = document.querySelector("#ask");
const message = document.querySelector("#message");
const [send, stop] = ask.querySelectorAll("button");
let sessionId = null;
let current = null;

ask.addEventListener("submit", async (submitted) => {
  submitted.preventDefault();
  const question = message.value.trim();
  if (!question || current) return;
  message.value = "";
  add(talk, "article", "question", question);
  current = new AbortController();
  send.hidden = true;
  stop.hidden = false;
  await answer(question, current.signal);
  current = null;
  send.hidden = false;
  stop.hidden = true;
  message.focus();
});
stop.addEventListener("click", () => current?.abort());

document.querySelector("#files").addEventListener("change", async (chosen) => {
  const files = [...chosen.target.files];
  chosen.target.value = "";
  await Promise.all(files.map(ingest));
});

async function answer(question, signal) {
  const article = add(talk, "article", "answer streaming");
  const text = add(article, "p");
  try {
    const body = JSON.stringify({ message: question, session_id: sessionId, stream: true });
    const response = await call("/v1/chat", { method: "POST", headers: { "Content-Type": "application/json" }, body, signal });
    for await (const { name, data } of events(response)) {
      if (name === "sources") {
        sessionId = data.session_id;
        showSources(article, data);
      }
      if (name === "token") text.textContent += data.text;
      if (name === "error") add(article, "p", "problem", data.reason);
      talk.scrollTop = talk.scrollHeight;
    }
  } catch (error) {
    if (error.status === 404) sessionId = null;
    add(article, "p", "problem", error.name === "AbortError" ? "Stopped." : error.message);
  }
  article.classList.remove("streaming");
}

function showSources(article, { sources, problems }) {
  for (const problem of problems) add(article, "p", "problem", problem);
  for (const source of sources) {
    const details = add(article, "details", "source");
    add(details, "summary", "", `[${source.number}] ${[source.document, source.place].filter(Boolean).join(", ")}`);
    add(details, "blockquote", "", source.text);
  }
}

async function ingest(file) {
  const item = add(document.querySelector("#ingestions"), "li");
  const label = add(item, "span", "", `${file.name}: uploading`);
  const bar = add(item, "progress");
  try {
    const stored = await (await call(`/v1/files?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file })).json();
    const files = JSON.stringify({ files: [{ file_id: stored.file_id, name: stored.name }] });
    const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: files };
    const { ingestions: [{ id }] } = await (await call("/v1/ingestions", request)).json();
    for await (const { data } of events(await call(`/v1/ingestions/${id}/events`))) {
      item.dataset.state = data.state;
      label.textContent = `${file.name}: ${[data.stage, data.reason].filter(Boolean).join(": ")}`;
      bar.value = data.progress;
    }
  } catch (error) {
    item.dataset.state = "failed";
    label.textContent = `${file.name}: ${error.message}`;
  }
  bar.remove();
}

async function call(url, options) {
  const response = await fetch(url, options);
  if (response.ok) return response;
  const report = await response.json().catch(() => null);
  throw Object.assign(new Error(report?.error?.message ?? `the server answered ${response.status}`), { status: response.status });
}

async function* events(response) {
  let rest = "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const blocks = (rest + part.value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)));
      yield { name: fields.event, data: JSON.parse(fields.data) };
    }
  }
}

function add(parent, tag, className = "", text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  parent.append(element);
  return element;
}
