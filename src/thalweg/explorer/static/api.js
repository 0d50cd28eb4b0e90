// Talking to the server: one request is one computation; leaving it stops the computation.

export async function options() {
  const answer = await fetch("/api/options");
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

export async function upload(file) {
  const answer = await fetch(`/api/upload?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file, headers: { "content-type": "application/octet-stream" } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(message(text));
  return JSON.parse(text).upload;
}

export async function stream(task, content, receive, signal) {
  const answer = await fetch(`/api/run/${task}`, {
    method: "POST", signal, body: JSON.stringify(content), headers: { "content-type": "application/json" },
  });
  if (!answer.ok) throw new Error(message(await answer.text()));
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    rest += decoder.decode(value, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop();
    for (const line of lines) {
      const item = JSON.parse(line);
      if (item.kind === "error") throw new Error(item.message);
      receive(item);
    }
  }
}

function message(text) {
  try {
    return JSON.parse(text).message;
  } catch {
    return text || "the server did not answer; is it still running?";
  }
}
