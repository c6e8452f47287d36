// Names that strangers gave, where the page does not isolate their direction.

const unseen = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/// With what would turn or hide the text around it written out: `\u{202e}`. As the command line prints them.
export const visible = (name) => name.replaceAll(unseen, (sign) => `\\u{${sign.codePointAt(0).toString(16)}}`);
