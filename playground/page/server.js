// The server that keeps all state: what is sent to it, what it shows, and when there is something new.

/** What is said where nobody answers. */
export const ENDED = "The playground does not answer: it has ended. Start it again with make demo.";
const AGAIN = 1000; // milliseconds until it is asked once more

/** Send one gesture or wish: its answer, or `{trouble}` with the error that `tell` was told. */
export async function send(path, arguments_, tell) {
  let answer;
  try {
    const response = await fetch(`/playground/${path}`, {method: "POST", headers: {"content-type": "application/json"},
      body: JSON.stringify(arguments_)});
    answer = await response.json();
  } catch {
    answer = {ok: false, error: ENDED};
  }
  if (!answer.ok) tell(answer.error);
  return answer.answer ?? {trouble: answer.error};
}

/** What this person sees now; null where nobody answers. */
export async function state(person) {
  try {
    const response = await fetch(`/playground/state?as=${person}`);
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

/** Have `changed` called at once and after every change, and `ended` when nobody tells of any; it is listened for again. */
export function follow(changed, ended) {
  const feed = new EventSource("/playground/feed");
  feed.addEventListener("message", changed);
  feed.addEventListener("error", () => {
    ended();
    if (feed.readyState === EventSource.CLOSED) later(() => follow(changed, ended));
  });
}

/** Do it in a moment. */
export const later = (deed) => setTimeout(deed, AGAIN);
