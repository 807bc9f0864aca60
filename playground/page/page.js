// The channel: what one person sees of it, and what that person does. The server keeps all state.

import {body} from "/page/blocks.js";
import {show, sure} from "/page/modal.js";
import {el, emoji} from "/page/mrkdwn.js";
import {follow, later, send, state} from "/page/server.js";

const QUICK = ["white_check_mark", "x", "eyes", "+1"];
const SAME_BREATH = 300; // seconds in which a second message of the same author needs no name
const at = (id) => document.getElementById(id);
const asked = new URLSearchParams(location.search);
const here = {person: asked.get("as") ?? "U0ENGINEER", channel: asked.get("channel") ?? "C0MIGRATE", thread: null,
  dismissed: new Set(), state: null, context: null, view: null, home: false, toEnd: false};

const gesture = (name, arguments_) => send(`people/${here.person}/${name}`, arguments_, tell);

function tell(sentence) {
  at("notice").textContent = sentence;
  at("notice").hidden = false;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => { at("notice").hidden = true; }, 6000);
}

/** Fetch what this person sees and paint it; a second call while one runs makes one more run. */
async function refresh() {
  if (refresh.running) { refresh.again = true; return; }
  refresh.running = true;
  try {
    do {
      refresh.again = false;
      const seen = await state(here.person);
      if (!seen) { ended(); later(refresh); return; }
      here.state = seen;
      paint();
    } while (refresh.again);
  } finally {
    refresh.running = false;
  }
}

/** Nobody serves this page any more; what stands on it is what was. */
function ended() {
  at("link").textContent = "The playground has ended";
  at("link").classList.remove("on");
}

function paint() {
  const {state} = here;
  const people = Object.fromEntries(state.people.map((one) => [one.id, one]));
  here.people = {...people, USLACKBOT: {id: "USLACKBOT", real_name: "Workspace", color: "5a6068"}};
  here.context = {emoji: state.emoji, me: here.person, rich: here.context?.rich, plain: here.context?.plain,
    names: here.context?.names,
    names_of: Object.fromEntries(state.people.map((one) => [one.id, one.real_name])),
    channel_names: Object.fromEntries(state.channels.map((one) => [one.id, one.name]))};
  paintSides();
  at("composer").hidden = here.home;
  if (here.home) { paintHome(); return; }
  const all = [...state.messages[here.channel], ...state.ephemerals.filter((one) => one.channel === here.channel
    && !here.dismissed.has(one.ts))].sort((a, b) => (a.ts < b.ts ? -1 : 1));
  const inThread = (one) => one.thread_ts && one.thread_ts !== one.ts;
  list(at("messages"), all.filter((one) => !inThread(one) || one.subtype === "thread_broadcast"));
  paintThread(all.filter((one) => one.ts === here.thread || one.thread_ts === here.thread));
  paintModal();
}

function paintSides() {
  const {state} = here;
  const channel = state.channels.find((one) => one.id === here.channel);
  document.title = `#${channel.name} · Twokey playground`;
  at("place").textContent = here.home ? "Twokey" : `# ${channel.name}`;
  at("purpose").textContent = here.home ? "The app's own tab, as you see it" : channel.purpose.value;
  at("home").setAttribute("aria-current", here.home ? "page" : "false");
  at("words").placeholder = innerWidth < 600 ? "Message, or /migrate help" : `Message #${channel.name}, or type /migrate help`;
  at("link").textContent = state.connected ? "Bot connected" : "No bot connected";
  at("link").classList.toggle("on", state.connected);
  const humans = state.people.filter((one) => one.id !== state.bot);
  if (!at("person").options.length) {
    at("person").append(...humans.map((one) => el("option", {value: one.id, disabled: one.deleted},
      `${one.real_name} · ${one.profile.title}`)));
    at("person").value = here.person;
  }
  at("channels").replaceChildren(...state.channels.map((one) => el("li", {}, el("button", {type: "button",
    "aria-current": one.id === here.channel && !here.home ? "page" : null,
    onclick: () => go({channel: one.id, thread: null, home: false})}, `# ${one.name}`))));
  at("people").replaceChildren(...state.people.map((one) => el("li", {class: one.deleted ? "gone" : ""}, avatar(one, "tiny"),
    el("span", {}, one.real_name), el("span", {class: "muted"}, one.profile.title))));
}

/** On a small screen what stands at the side is behind a button. */
function side(open) {
  document.body.classList.toggle("sided", open);
  at("menu").setAttribute("aria-expanded", String(open));
  if (open) at("side").querySelector("button").focus();
}

function go(change) {
  Object.assign(here, change);
  side(false);
  if (change.person) { here.view = null; at("modal").close(); }
  const query = new URLSearchParams({as: here.person});
  history.replaceState(null, "", `${location.pathname}?${query}`);
  refresh();
}

const isAtEnd = (place) => place.scrollHeight - place.scrollTop - place.clientHeight < 60;
const toEnd = (place) => { place.scrollTop = place.scrollHeight; };

/** Change how the list is laid out; what one read at its head stands there still, and who was at its end is there still. */
function keeping(place, change) {
  const atEnd = isAtEnd(place);
  const head = place.getBoundingClientRect().top;
  const read = [...place.children].find((node) => node.getBoundingClientRect().bottom > head);
  const stood = read?.getBoundingClientRect().top;
  change();
  if (atEnd) toEnd(place);
  else if (read) place.scrollTop += read.getBoundingClientRect().top - stood;
}

/** Make the list show these messages, keeping the nodes of those that did not change and the place one reads at. */
function list(place, messages) {
  const atEnd = isAtEnd(place) || (place.id === "messages" && here.toEnd);
  const known = new Map([...place.children].map((node) => [node.dataset.key, node]));
  const nodes = messages.map((message, position) => {
    const before = messages[position - 1];
    const follows = before && place.id !== "replies" && inOneBreath(before, message);
    const key = `${message.ts}|${follows}|${here.person}|${JSON.stringify(message)}`;
    return known.get(key) ?? painted(message, {key, follows});
  });
  const added = nodes.some((node) => !known.has(node.dataset.key));
  place.replaceChildren(...nodes);
  if (atEnd && added) {
    toEnd(place);
    if (place.id === "messages") here.toEnd = false;
  }
}

/** Whether a message goes without a name of its own: short ones right after each other do, cards never. */
function inOneBreath(before, message) {
  const short = (one) => (one.blocks?.length ?? 0) < 2 && !one.is_ephemeral;
  return before.user === message.user && short(before) && short(message) && message.ts - before.ts < SAME_BREATH;
}

function avatar(person, size = "") {
  if (person.id === here.state.bot) {
    const mark = el("span", {class: `avatar bot ${size}`, "aria-hidden": "true"});
    mark.append(emoji("key", here.context));
    return mark;
  }
  const initials = person.real_name.split(" ").map((word) => word[0]).join("").slice(0, 2);
  const face = el("span", {class: `avatar ${size}`, "aria-hidden": "true"}, initials);
  face.style.setProperty("--tint", `#${person.color}`);
  return face;
}

function painted(message, {key, follows}) {
  const author = here.people[message.user] ?? {id: message.user, real_name: message.user, color: "5a6068"};
  const when = new Date(message.ts * 1000);
  const time = el("time", {datetime: when.toISOString(), title: when.toLocaleString()},
    when.toLocaleTimeString([], {hour: "2-digit", minute: "2-digit"}));
  const name = el("div", {class: "by"}, el("strong", {}, author.real_name),
    author.id === here.state.bot && el("span", {class: "badge"}, "App"), time,
    message.edited && el("span", {class: "muted"}, "(edited)"));
  const content = el("div", {class: "content"}, !follows && name,
    message.is_ephemeral && el("p", {class: "only"}, "Only visible to you ", el("button", {type: "button", class: "quiet",
      onclick: () => { here.dismissed.add(message.ts); paint(); }}, "Dismiss")),
    body(message, here.context, (element, value) => press(message, element, value)), files(message), reactions(message), replies(message));
  return el("article", {class: `message${follows ? " follows" : ""}${message.is_ephemeral ? " ephemeral" : ""}`,
    "data-key": key, "data-ts": message.ts, "aria-label": `${author.real_name}, ${time.textContent}`},
  follows ? el("span", {class: "avatar none"}) : avatar(author), content, !message.is_ephemeral && tools(message));
}

/** What was uploaded: an image as itself, anything else as a link to its text. */
function files(message) {
  if (!message.files?.length) return null;
  return el("div", {class: "files"}, message.files.map((one) => el("a", {class: "file", href: one.url_private, target: "_blank",
    rel: "noopener"}, one.mimetype.startsWith("image/") ? el("img", {src: one.url_private, alt: one.alt_txt}) : one.title,
  el("span", {class: "muted"}, `${one.name}, ${one.size} bytes`))));
}

function reactions(message) {
  if (!message.reactions?.length) return null;
  return el("div", {class: "reactions"}, message.reactions.map((one) => {
    const mine = one.users.includes(here.person);
    const who = one.users.map((id) => here.people[id]?.real_name ?? id).join(", ");
    return el("button", {type: "button", class: "reaction", "aria-pressed": String(mine), title: `${who} reacted with :${one.name}:`,
      "aria-label": `${one.name.replaceAll("_", " ")}, ${who}`, onclick: () => react(message, one.name, mine)},
    emoji(one.name, here.context), el("span", {}, String(one.count)));
  }));
}

const react = (message, name, mine) => gesture(mine ? "unreact" : "react", {channel: here.channel, ts: message.ts, name});

function tools(message) {
  const mine = (name) => Boolean(message.reactions?.find((one) => one.name === name)?.users.includes(here.person));
  return el("div", {class: "tools", role: "group", "aria-label": "React or reply"},
    QUICK.map((name) => el("button", {type: "button", "aria-label": `React with ${name.replaceAll("_", " ")}`,
      "data-react": name, onclick: () => react(message, name, mine(name))}, emoji(name, here.context))),
    el("button", {type: "button", class: "words", onclick: () => go({thread: message.thread_ts ?? message.ts})}, "Reply"));
}

function replies(message) {
  if (!message.reply_count) return null;
  const count = message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`;
  return el("button", {type: "button", class: "thread-link", onclick: () => go({thread: message.ts})},
    message.reply_users.slice(0, 3).map((id) => avatar(here.people[id], "tiny")), el("span", {}, count));
}

async function press(message, element, value) {
  if (!await sure(at("confirm"), element.confirm, here.context)) return;
  const answer = await gesture("click", {channel: message.channel ?? here.channel, ts: message.ts,
    action_id: element.action_id, value: value ?? null});
  if (answer.trouble) tell(`The bot did not answer (${answer.trouble}).`);
}

/** The app's own tab, as the app last published it for this person. */
function paintHome() {
  const home = here.state.homes[here.person];
  paintThread([]);
  at("messages").replaceChildren(el("article", {class: "message home", "aria-label": "App Home"}, home
    ? body(home, here.context, () => {}) : el("p", {class: "muted"}, "The app has published nothing here yet.")));
}

async function openHome() {
  go({home: true, thread: null});
  await gesture("home", {});
}

function paintThread(messages) {
  const open = Boolean(here.thread) && messages.length > 0;
  const opening = open && at("thread").hidden;
  if (open === at("thread").hidden) {
    keeping(at("messages"), () => {
      at("thread").hidden = !open;
      document.body.classList.toggle("threaded", open);
    });
  }
  if (open) list(at("replies"), messages);
  if (opening) at("reply").focus();
}

function paintModal() {
  const view = here.state.views.at(-1);
  const seen = view && view.id + view.hash;
  if (seen === here.view) return;
  here.view = seen;
  if (!view) { at("modal").close(); return; }
  show(at("modal"), view, {context: here.context, send: (values) => gesture("submit", {view_id: view.id, values}),
    leave: () => gesture("close", {view_id: view.id})});
}

/** Send what stands in a text field; a first word with a slash is a command. */
async function speak(field, thread_ts) {
  const text = field.value.trim();
  if (!text) return;
  const [command] = text.split(/\s/, 1);
  if (text.startsWith("/") && thread_ts) { tell(`${command} does not work in threads. Type it in the channel.`); return; }
  field.value = "";
  grow(field);
  here.toEnd = !thread_ts; // what comes of it is looked for there
  const answer = text.startsWith("/")
    ? await gesture("slash", {command, text: text.slice(command.length).trim(), channel: here.channel})
    : await gesture("say", {channel: here.channel, text, thread_ts});
  if (answer.trouble && !field.value) { field.value = text; grow(field); } // nothing came of it, and nothing is typed twice
}

function grow(field) {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + 2}px`;
  const typed = at("words").value;
  const fitting = here.state.commands.filter((one) => typed && one.startsWith(typed) && one !== typed);
  at("commands").hidden = !fitting.length;
  at("commands").replaceChildren(...fitting.map((one) => el("li", {}, el("kbd", {}, one), " press Tab to complete")));
}

function listen(form, field, thread) {
  form.addEventListener("submit", (event) => { event.preventDefault(); speak(field, thread()); });
  field.addEventListener("input", () => grow(field));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); speak(field, thread()); }
    const offered = at("commands").querySelector("kbd");
    if (event.key === "Tab" && offered) { event.preventDefault(); field.value = `${offered.textContent} `; grow(field); }
  });
}

listen(at("composer"), at("words"), () => null);
listen(at("answer"), at("reply"), () => here.thread);
at("person").addEventListener("change", () => go({person: at("person").value, home: false, toEnd: true}));
at("home").addEventListener("click", openHome);
at("menu").addEventListener("click", () => side(at("menu").getAttribute("aria-expanded") === "false"));
at("leave").addEventListener("click", () => { go({thread: null}); at("words").focus(); });
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || at("modal").open) return;
  if (document.body.classList.contains("sided")) { side(false); at("menu").focus(); } else if (here.thread) go({thread: null});
});
const size = () => `${at("messages").clientWidth} ${at("messages").clientHeight}`;
let atEnd = true, seen = size(); // a scroll that comes of a new size is nobody's: the observer's turn is next
at("messages").addEventListener("scroll", () => { if (size() === seen) atEnd = isAtEnd(at("messages")); });
new ResizeObserver(() => { seen = size(); if (atEnd) toEnd(at("messages")); }).observe(at("messages"));
follow(refresh, ended);
