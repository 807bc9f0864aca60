"""The emoji this workspace knows: Slack's short names and the characters the page shows for them.

Slack refuses a name it does not know (`invalid_name`); so does the playground, with a smaller book of names.
"""

KNOWN: dict[str, str] = {
    "white_check_mark": "✅", "heavy_check_mark": "✔️", "ballot_box_with_check": "☑️", "x": "❌",
    "negative_squared_cross_mark": "❎", "heavy_multiplication_x": "✖️", "no_entry": "⛔", "no_entry_sign": "🚫",
    "octagonal_sign": "🛑", "warning": "⚠️", "rotating_light": "🚨", "exclamation": "❗", "question": "❓",
    "grey_question": "❔", "information_source": "ℹ️", "bangbang": "‼️", "hourglass": "⌛",
    "hourglass_flowing_sand": "⏳", "stopwatch": "⏱️", "timer_clock": "⏲️", "alarm_clock": "⏰", "clock1": "🕐",
    "red_circle": "🔴", "large_orange_circle": "🟠", "large_yellow_circle": "🟡", "large_green_circle": "🟢",
    "large_blue_circle": "🔵", "large_purple_circle": "🟣", "white_circle": "⚪", "black_circle": "⚫",
    "large_red_square": "🟥", "large_yellow_square": "🟨", "large_green_square": "🟩", "large_blue_square": "🟦",
    "white_large_square": "⬜", "black_large_square": "⬛", "white_small_square": "▫️", "black_small_square": "▪️",
    "small_blue_diamond": "🔹", "small_orange_diamond": "🔸", "leftwards_arrow_with_hook": "↩️",
    "arrow_right_hook": "↪️", "arrow_right": "➡️", "arrow_left": "⬅️", "arrow_up": "⬆️", "arrow_down": "⬇️",
    "arrows_counterclockwise": "🔄", "repeat": "🔁", "rewind": "⏪", "fast_forward": "⏩",
    "black_square_for_stop": "⏹️", "double_vertical_bar": "⏸️", "arrow_forward": "▶️", "+1": "👍", "-1": "👎",
    "eyes": "👀", "raised_hands": "🙌", "clap": "👏", "wave": "👋", "pray": "🙏", "ok_hand": "👌", "muscle": "💪",
    "point_right": "👉", "point_up": "☝️", "raised_hand": "✋", "handshake": "🤝", "tada": "🎉", "rocket": "🚀",
    "sparkles": "✨", "star": "⭐", "fire": "🔥", "boom": "💥", "zap": "⚡", "bulb": "💡", "bell": "🔔",
    "no_bell": "🔕", "lock": "🔒", "unlock": "🔓", "closed_lock_with_key": "🔐", "key": "🔑", "old_key": "🗝️",
    "shield": "🛡️", "package": "📦", "floppy_disk": "💾", "file_cabinet": "🗄️", "card_file_box": "🗃️",
    "page_facing_up": "📄", "scroll": "📜", "memo": "📝", "clipboard": "📋", "mag": "🔍", "link": "🔗",
    "paperclip": "📎", "pushpin": "📌", "wrench": "🔧", "hammer": "🔨", "hammer_and_wrench": "🛠️", "gear": "⚙️",
    "construction": "🚧", "test_tube": "🧪", "microscope": "🔬", "bar_chart": "📊", "inbox_tray": "📥",
    "outbox_tray": "📤", "wastebasket": "🗑️", "speech_balloon": "💬", "thought_balloon": "💭", "robot_face": "🤖",
    "ghost": "👻", "bug": "🐛", "elephant": "🐘", "turtle": "🐢", "snail": "🐌", "slightly_smiling_face": "🙂",
    "smile": "😄", "grinning": "😀", "sweat_smile": "😅", "thinking_face": "🤔", "cry": "😢", "scream": "😱",
    "heart": "❤️", "broken_heart": "💔", "100": "💯", "coffee": "☕", "broom": "🧹", "crown": "👑", "new": "🆕",
    "ok": "🆗", "sos": "🆘", "one": "1️⃣", "two": "2️⃣", "three": "3️⃣", "ledger": "📒", "arrow_double_up": "⏫",
    "snowflake": "❄️", "desktop_computer": "🖥️", "pencil2": "✏️", "compass": "🧭", "straight_ruler": "📏",
    "stethoscope": "🩺",
}  # fmt: skip

#: Other names of the same emoji; Slack stores and tells the canonical one.
ALIASES = {
    "thumbsup": "+1",
    "thumbsdown": "-1",
    "heavy_exclamation_mark": "exclamation",
    "stop_sign": "octagonal_sign",
    "hand": "raised_hand",
    "robot": "robot_face",
    "thinking": "thinking_face",
    "pause_button": "double_vertical_bar",
}
_HAVE_SKIN = {"+1", "-1", "raised_hands", "clap", "wave", "pray", "ok_hand", "muscle", "point_right", "point_up",
              "raised_hand", "handshake"}  # fmt: skip
_TONES = {f"skin-tone-{tone}" for tone in range(2, 7)}


def canonical(name: str) -> str | None:
    """Slack's own name for an emoji, with its skin tone if it has one (`+1::skin-tone-3`); None if there is no such."""
    base, separator, tone = name.partition("::")
    base = ALIASES.get(base, base)
    if base not in KNOWN or (separator and (tone not in _TONES or base not in _HAVE_SKIN)):
        return None
    return f"{base}{separator}{tone}"
