// What the page asks its own server: nobody else is ever asked.
const TOKEN = new URLSearchParams(location.search).get("token") ?? "";

// An address that reads something: what cannot send headers, such as a video element, has the token in it.
export function reading(path) {
  return `${path}?token=${encodeURIComponent(TOKEN)}`;
}

export async function read(path) {
  const answer = await fetch(reading(path));
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

export async function upload(video, name) {
  const answer = await change("POST", `/jobs?name=${encodeURIComponent(name)}`, video);
  return (await answer.json()).id;
}

export function remove(id) {
  return change("DELETE", `/jobs/${id}`);
}

// Calls `changed` with the list of jobs whenever something about it changes, and `reached` with whether anybody answers.
export function watch(changed, reached) {
  const events = new EventSource(reading("/events"));
  events.onopen = () => reached(true);
  events.onerror = () => {
    reached(false);
    if (events.readyState === EventSource.CLOSED) setTimeout(() => watch(changed, reached), 3000);
  };
  events.onmessage = (event) => changed(JSON.parse(event.data));
}

async function change(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, { method, body, headers: { "X-Token": TOKEN } });
  } catch {
    throw new Error("The tool does not answer, or took no more of this video.");
  }
  if (!answer.ok) throw new Error(await answer.text());
  return answer;
}
