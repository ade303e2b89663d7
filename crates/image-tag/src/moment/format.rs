//! The grammar of Moment.js formats: tokens, brackets, backslashes and abbreviations of whole formats.

/// The order decides: the first that fits is taken, as in Moment's own expression.
const TOKENS: [&str; 69] = [
    "Hmmss", "hmmss", "Hmm", "hmm", "Mo", "MMMM", "MMM", "MM", "M", "Do", "DDDo", "DDDD", "DDD", "DD", "D",
    "dddd", "ddd", "dd", "do", "d", "wo", "ww", "w", "Wo", "WW", "W", "Qo", "Q", "NNNNN", "NNNN", "NNN",
    "NN", "N", "YYYYYY", "YYYYY", "YYYY", "YY", "Y", "yyyy", "yyy", "yy", "yo", "y", "ggggg", "gggg", "gg",
    "GGGGG", "GGGG", "GG", "e", "E", "a", "A", "hh", "h", "HH", "H", "kk", "k", "mm", "m", "ss", "s", "x",
    "X", "zz", "z", "ZZ", "Z",
];

/// Abbreviations of whole formats.
const LONG_TOKENS: [(&str, &str); 10] = [
    ("LTS", "h:mm:ss A"),
    ("LT", "h:mm A"),
    ("LLLL", "dddd, MMMM D, YYYY h:mm A"),
    ("LLL", "MMMM D, YYYY h:mm A"),
    ("LL", "MMMM D, YYYY"),
    ("L", "MM/DD/YYYY"),
    ("llll", "ddd, MMM D, YYYY h:mm A"),
    ("lll", "MMM D, YYYY h:mm A"),
    ("ll", "MMM D, YYYY"),
    ("l", "M/D/YYYY"),
];

/// A part of a format.
pub(super) enum Piece {
    Text(String),
    Token(&'static str),
    Fraction(usize),
}

/// Takes a format apart.
pub(super) fn pieces(format: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        let (piece, length) = if let Some(inner) = bracketed(rest) {
            (Piece::Text(inner.to_owned()), inner.len() + 2)
        } else if let Some(after) = rest.strip_prefix('\\') {
            let length = escaped_length(after);
            // What is escaped loses its own backslashes too.
            (Piece::Text(after[..length].replace('\\', "")), length + 1)
        } else if first == 'S' {
            let digits = rest.bytes().take_while(|b| *b == b'S').count().min(9);
            (Piece::Fraction(digits), digits)
        } else if let Some(token) = token_at(rest) {
            (Piece::Token(token), token.len())
        } else if matches!(first, '\n' | '\r' | '\u{2028}' | '\u{2029}') {
            // Moment's expression has no match for a line end.
            (Piece::Text(String::new()), first.len_utf8())
        } else {
            (Piece::Text(first.to_string()), first.len_utf8())
        };
        pieces.push(piece);
        rest = &rest[length..];
    }
    pieces
}

/// What stands between `[` here and the last `]` before another `[`.
fn bracketed(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('[')?.split('[').next()?;
    inner.rfind(']').map(|end| &inner[..end])
}

fn token_at(text: &str) -> Option<&'static str> {
    TOKENS.into_iter().find(|token| text.starts_with(token))
}

/// How much a backslash keeps from being read: a token, else a character.
fn escaped_length(text: &str) -> usize {
    if text.starts_with('S') {
        return text.bytes().take_while(|b| *b == b'S').count().min(9);
    }
    let character = text
        .chars()
        .next()
        .filter(|c| !matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}'));
    token_at(text).map_or(character.map_or(0, char::len_utf8), str::len)
}

/// Replaces the abbreviations of whole formats.
pub(super) fn expand(format: &str) -> String {
    let mut out = String::with_capacity(format.len());
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        let kept = if let Some(inner) = bracketed(rest) {
            inner.len() + 2
        } else if let Some(after) = rest.strip_prefix('\\') {
            1 + LONG_TOKENS
                .iter()
                .find(|(token, _)| after.starts_with(token))
                .map_or(0, |(token, _)| token.len())
        } else if let Some((token, long)) = LONG_TOKENS.iter().find(|(token, _)| rest.starts_with(token)) {
            out.push_str(long);
            rest = &rest[token.len()..];
            continue;
        } else {
            first.len_utf8()
        };
        out.push_str(&rest[..kept]);
        rest = &rest[kept..];
    }
    out
}
