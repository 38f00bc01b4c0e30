//! Text from outside (file names, labels, operators, a model's members), made fit for a terminal, a log and a message:
//! one line, nothing in it that is obeyed instead of shown, and not longer than anyone reads.

use std::borrow::Cow;
use std::fmt::{self, Display, Write};

/// Longest message, bytes.
pub const MAX_MESSAGE: usize = 4096;

/// Whether a character is obeyed (controls, line ends, direction) or invisible (zero width, fillers, tags) instead of
/// shown. The lists are Unicode 17's Cc, Zl, Zp, Bidi_Control, and of Default_Ignorable_Code_Point and Cf those that
/// no language needs.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e00ff}'
            | '\u{e01f0}'..='\u{e0fff}')
}

/// Invisible too, but words and emoji are spelled with them: they are shown behind a character that is not ASCII.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Takes text of any length and keeps what can be shown of it, up to `max` bytes.
struct Shown {
    text: String,
    max: usize,
    /// Bytes that came in, of which those behind the cut are not kept.
    bytes: usize,
    cut: bool,
    /// The character before is shown and not ASCII.
    joins: bool,
}

impl Shown {
    fn of(text: impl Display, max: usize) -> String {
        let mut shown = Self { text: String::new(), max, bytes: 0, cut: false, joins: false };
        // Only a Display that fails by itself can fail here; what it gave until then is kept.
        let _ = write!(shown, "{text}");
        if shown.cut {
            let _ = write!(shown.text, "… ({} bytes)", shown.bytes);
        }
        shown.text
    }

    fn push(&mut self, c: char) {
        let hidden = is_hidden(c) || (is_joiner(c) && !self.joins);
        // The longest escape is that of U+10FFFF: \u{10ffff}.
        if self.text.len() + if hidden { 10 } else { c.len_utf8() } > self.max {
            self.cut = true;
        } else if hidden {
            self.text.extend(c.escape_default());
        } else {
            self.text.push(c);
        }
        self.joins = !hidden && !c.is_ascii();
    }
}

impl fmt::Write for Shown {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes += text.len();
        for c in text.chars() {
            if self.cut {
                break;
            }
            self.push(c);
        }
        Ok(())
    }
}

/// `text` with the escape of every character that would not be shown (`\n`, `\u{1b}`) in that character's place.
pub fn escaped(text: &str) -> Cow<'_, str> {
    match text.chars().any(|c| is_hidden(c) || is_joiner(c)) {
        true => Shown::of(text, usize::MAX).into(),
        false => text.into(),
    }
}

/// [`escaped`], at most `max` bytes of it and how long it was; never held in whole.
pub(crate) fn shortened(text: impl Display, max: usize) -> String {
    Shown::of(text, max)
}

/// A message: [`escaped`], at most [`MAX_MESSAGE`] bytes.
pub(crate) fn message(text: impl Display) -> String {
    const TAIL: usize = 48; // "… (18446744073709551615 bytes)"
    Shown::of(text, MAX_MESSAGE - TAIL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_obeyed() {
        for (text, shown) in [
            ("a\u{1b}[31m\u{7}", "a\\u{1b}[31m\\u{7}"),
            ("one\ntwo\r\tthree\0", "one\\ntwo\\r\\tthree\\u{0}"),
            ("\u{7f}\u{9b}2J\u{90}", "\\u{7f}\\u{9b}2J\\u{90}"),
            (
                "cod\u{202e}fig\u{2066}\u{2069}\u{200e}\u{200f}\u{61c}",
                "cod\\u{202e}fig\\u{2066}\\u{2069}\\u{200e}\\u{200f}\\u{61c}",
            ),
            ("a\u{2028}b\u{2029}c\u{85}d", "a\\u{2028}b\\u{2029}c\\u{85}d"),
            ("pass\u{200b}\u{200d}word\u{feff}\u{e0041}", "pass\\u{200b}\\u{200d}word\\u{feff}\\u{e0041}"),
            ("\u{200d}\u{200d}", "\\u{200d}\\u{200d}"),
        ] {
            assert_eq!(escaped(text), shown);
            assert_eq!(message(text), shown);
            assert_eq!(escaped(shown), shown, "once is enough");
        }
    }

    #[test]
    fn what_people_write_is_left_alone() {
        for text in [
            "Café, Cafe\u{301}",
            "犬 🐕",
            "می\u{200c}خواهم",
            "👨\u{200d}👩\u{200d}👧 ❤\u{fe0f}",
            "C:\\new \"x\"",
            "a\u{a0}b",
        ] {
            assert!(
                matches!(escaped(text), Cow::Borrowed(_) | Cow::Owned(_) if escaped(text) == text),
                "{text}"
            );
        }
    }

    #[test]
    fn a_message_ends_and_says_how_long_it_was() {
        for long in ["x".repeat(1 << 20), "\u{1b}".repeat(1 << 20), "犬".repeat(1 << 20)] {
            let cut = message(&long);
            assert!((MAX_MESSAGE - 100..=MAX_MESSAGE).contains(&cut.len()), "{}", cut.len());
            assert!(cut.ends_with(&format!("… ({} bytes)", long.len())), "{cut}");
        }
        let fits = "y".repeat(4000);
        assert_eq!(message(&fits), fits);
    }

    #[test]
    fn a_text_that_is_cut_is_never_held_in_whole() {
        /// A gigabyte, piece by piece.
        struct Endless;
        impl Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (0..1 << 14).try_for_each(|_| f.write_str(&"z".repeat(1 << 16)))
            }
        }
        let cut = shortened(Endless, 100);
        assert!(cut.capacity() < 1000 && cut.ends_with("… (1073741824 bytes)"), "{} {cut}", cut.capacity());
    }
}
