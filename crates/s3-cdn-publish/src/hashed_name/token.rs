//! Whether one part of a name is a hash: by its length, its letters, what separates it, and the kind of file.

/// What bundlers do with such files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Scripts and styles: people seldom name them with numbers.
    Code,
    /// Images, sounds, films and fonts: bundlers copy them under hashed names, people put ids and dates in theirs.
    Media,
    /// Anything else: only a long hash counts.
    Document,
}

/// What stands before a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separator {
    /// A dot, which people seldom write inside of names.
    Dot,
    /// A dash.
    Dash,
    /// `_` or `~`.
    Other,
}

/// Entries that esbuild and Angular name; what follows them is always a hash.
const ENTRIES: [&str; 6] = ["chunk", "main", "polyfills", "runtime", "scripts", "styles"];

/// The length of the hashes of Rollup (<https://rollupjs.org/configuration-options/#output-entryfilenames>) and esbuild
/// (<https://esbuild.github.io/api/#entry-names>).
const SHORT: usize = 8;

impl Kind {
    /// The kind of a file by its extension in lower case; `None` for pages, which are never hashed.
    pub(super) fn of(extension: &str) -> Option<Self> {
        Some(match extension {
            "html" | "htm" | "xhtml" | "shtml" | "webmanifest" => return None,
            "js" | "mjs" | "cjs" | "css" | "wasm" => Self::Code,
            "png" | "jpg" | "jpeg" | "gif" | "webp" | "avif" | "svg" | "ico" | "apng" | "jxl" | "woff"
            | "woff2" | "ttf" | "otf" | "eot" | "mp4" | "webm" | "mp3" | "ogg" | "wav" | "m4a" | "flac"
            | "mov" | "aac" | "opus" | "glb" | "gltf" => Self::Media,
            _ => Self::Document,
        })
    }
}

/// Whether a part, whose name begins with `before`, is a hash.
pub(super) fn is_hash(token: &str, before: &str, separator: Separator, kind: Kind, bundle: bool) -> bool {
    if kind == Kind::Document {
        return token.len() >= 16 && is_long_hex(token) && !is_object_id(token);
    }
    is_hex(token, kind)
        || is_spoken_hex(token, before, separator, kind)
        || is_integrity(token)
        || (separator != Separator::Other && is_short(token, before, kind, bundle))
        || (separator == Separator::Dot && kind == Kind::Code && is_fingerprint(token))
}

/// Whether a part without dots ends in a hash behind a dash, `_` or `~`.
pub(super) fn ends_in_hash(part: &str, kind: Kind, bundle: bool) -> bool {
    if ends_in_uuid(part) {
        return false;
    }
    if let Some((before, token)) = part.rsplit_once(['-', '_', '~']) {
        let dash = part.as_bytes().get(before.len()) == Some(&b'-');
        let separator = if dash { Separator::Dash } else { Separator::Other };
        if !before.is_empty() && is_hash(token, before, separator, kind, bundle) {
            return true;
        }
    }
    // A hash of Rollup may have dashes in it.
    let cut = part.len().checked_sub(SHORT);
    let Some((before, token)) = cut.and_then(|at| part.split_at_checked(at)) else {
        return false;
    };
    before
        .strip_suffix('-')
        .is_some_and(|before| !before.is_empty() && is_hash(token, before, Separator::Dash, kind, bundle))
}

/// Whether a whole name is a hash.
pub(super) fn is_lone(stem: &str, kind: Kind, bundle: bool) -> bool {
    match stem.len() {
        16 | 20 | 32 | 40 | 64 | 96 | 128 => is_long_hex(stem) && kind != Kind::Document,
        SHORT => bundle && is_bundled(stem),
        _ => false,
    }
}

/// Whether a folder's name is the id of a build and not a name: 16 characters or more of several kinds.
pub(super) fn is_build_id(id: &str) -> bool {
    let (upper, lower, digit) = kinds(id);
    let plain = id
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    plain
        && id.len() >= 16
        && !ends_in_uuid(id)
        && (is_long_hex(id) || (upper && lower && digit && chunks(id).len() > 5))
}

/// Digits and letters of a hexadecimal number, in one case, with some of both.
pub(super) fn is_long_hex(token: &str) -> bool {
    let (upper, lower, digit) = kinds(token);
    token.bytes().all(|b| b.is_ascii_hexdigit()) && digit && (upper != lower) && token.len() >= 16
}

/// Eight hexadecimal digits or more that are no number, no date, no word, and no word with a number.
fn is_hex(token: &str, kind: Kind) -> bool {
    let (upper, lower, digit) = kinds(token);
    let plain = lower || kind == Kind::Code || token.len() >= 16;
    (SHORT..=128).contains(&token.len())
        && token.bytes().all(|b| b.is_ascii_hexdigit())
        && upper != lower
        && digit
        && plain
        && !is_object_id(token)
        && !is_word_with_number(token)
        && (token.len() >= 16 || !has_date(token))
}

/// The one hash in 2,500 that has letters only, such as `deadbeef`, behind a name that only bundlers give.
fn is_spoken_hex(token: &str, before: &str, separator: Separator, kind: Kind) -> bool {
    let entry = before.split(['-', '~']).next().unwrap_or_default();
    separator == Separator::Dot
        && kind == Kind::Code
        && token.len() == SHORT
        && token.bytes().all(|b| matches!(b, b'a'..=b'f'))
        && ENTRIES.contains(&entry)
}

/// The ids of MongoDB, which are no hash of anything.
fn is_object_id(token: &str) -> bool {
    token.len() == 24
}

/// `sha256-…`, as integrity attributes have it.
fn is_integrity(token: &str) -> bool {
    ["sha256-", "sha384-", "sha512-"].iter().any(|prefix| {
        token.strip_prefix(prefix).is_some_and(|digest| {
            let (upper, lower, digit) = kinds(digest);
            digest.len() >= 16
                && digit
                && (upper || lower)
                && digest
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_=".contains(&b))
        })
    })
}

/// A hash of eight characters of Rollup (base64url), esbuild (base32) or Bun (base36).
fn is_short(token: &str, before: &str, kind: Kind, bundle: bool) -> bool {
    if bundle && is_bundled(token) {
        return true;
    }
    let plain = token
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let (upper, lower, digit) = kinds(token);
    let (pieces, odd) = wordless(token);
    let torn = pieces >= 5 || (pieces == 4 && odd >= 1);
    match (token.len(), upper, lower) {
        (SHORT, true, true) => plain && !has_date(token) && (torn || (pieces == 3 && odd >= 2)),
        (SHORT, true, false) => is_base32(token, before, kind),
        (SHORT, false, true) => digit && kind == Kind::Code && is_torn36(token),
        _ => false,
    }
}

/// A fingerprint of ten characters as .NET puts between dots.
fn is_fingerprint(token: &str) -> bool {
    let (upper, lower, digit) = kinds(token);
    token.len() == 10 && !upper && lower && digit && is_torn36(token)
}

/// Small letters and digits that are no words with numbers.
fn is_torn36(token: &str) -> bool {
    let (pieces, odd) = wordless(token);
    let plain = token.bytes().all(|b| b.is_ascii_alphanumeric());
    plain && (pieces >= 5 || (pieces == 4 && odd >= 1)) && !has_word(token)
}

/// A hash of esbuild: capitals behind a name without any.
fn is_base32(token: &str, before: &str, kind: Kind) -> bool {
    if !token.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return false;
    }
    if ENTRIES.contains(&before) && kind == Kind::Code {
        return true;
    }
    let (pieces, odd) = wordless(token);
    let contrast =
        !before.bytes().any(|b| b.is_ascii_uppercase()) && before.bytes().any(|b| b.is_ascii_lowercase());
    let (run, vowels) = consonants(token);
    let random = pieces >= 4 || (pieces == 3 && odd >= 1) || run >= 4 || (run >= 3 && vowels <= 2);
    let base32 = token.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'));
    base32 && contrast && random
}

/// Eight characters with small letters, and capitals or digits, in a folder where every name is of a bundler: a hash,
/// with the second one that Astro gives to pictures.
fn is_bundled(token: &str) -> bool {
    let hash = match token.split_at_checked(SHORT) {
        Some((hash, "")) => hash,
        Some((hash, rest)) if rest.starts_with('_') && rest.len() > 1 => hash,
        _ => return false,
    };
    let (upper, lower, digit) = kinds(hash);
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    token.bytes().all(plain) && lower && (upper || digit) && chunks(hash).len() > 2
}

/// Whether a text ends in a UUID: that says which, not what.
fn ends_in_uuid(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(start) = bytes.len().checked_sub(36) else {
        return false;
    };
    bytes[start..].iter().enumerate().all(|(at, b)| match at {
        8 | 13 | 18 | 23 => *b == b'-',
        _ => b.is_ascii_hexdigit(),
    })
}

/// Whether there are capitals, small letters, and digits.
fn kinds(token: &str) -> (bool, bool, bool) {
    let any = |is: fn(&u8) -> bool| token.bytes().any(|b| is(&b));
    (
        any(u8::is_ascii_uppercase),
        any(u8::is_ascii_lowercase),
        any(u8::is_ascii_digit),
    )
}

/// Eight digits side by side: a date, or a number.
fn has_date(token: &str) -> bool {
    chunks(token)
        .iter()
        .any(|chunk| chunk.len() >= 8 && chunk.bytes().all(|b| b.is_ascii_digit()))
}

/// Words of four letters or more that can be spoken, and a number of up to a date's length: `facade01`, `cafe2024`.
fn is_word_with_number(token: &str) -> bool {
    let spoken = |chunk: &&str| chunk.len() >= 4 && chunk.bytes().filter(|b| is_vowel(*b)).count() >= 2;
    let chunks = chunks(token);
    let (numbers, words): (Vec<&str>, Vec<&str>) = chunks
        .iter()
        .partition(|chunk| chunk.starts_with(|c: char| c.is_ascii_digit()));
    chunks.len() <= 3 && words.iter().all(spoken) && numbers.iter().all(|number| number.len() <= 8)
}

/// Whether there are four letters or more that can be spoken, as in `v1beta1a`.
fn has_word(token: &str) -> bool {
    chunks(token)
        .iter()
        .any(|chunk| chunk.len() >= 4 && chunk.bytes().any(is_vowel))
}

/// How many words, numbers and letters a part falls into, and how many of them are letters that can't be spoken.
fn wordless(token: &str) -> (usize, usize) {
    let chunks = chunks(token);
    let odd = |chunk: &&&str| {
        chunk.len() >= 2 && chunk.as_bytes()[0].is_ascii_alphabetic() && !chunk.bytes().any(is_vowel)
    };
    (chunks.len(), chunks.iter().filter(odd).count())
}

/// A part cut where the kind of character changes; a capital with small letters behind it is one word.
fn chunks(token: &str) -> Vec<&str> {
    let kind = |b: u8| match b {
        b'A'..=b'Z' => 0,
        b'a'..=b'z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let bytes = token.as_bytes();
    let mut chunks = Vec::new();
    let mut start = 0;
    for at in 1..=bytes.len() {
        let ends = bytes.get(at).is_none_or(|next| {
            let (last, next) = (kind(bytes[at - 1]), kind(*next));
            last != next && !(last == 0 && next == 1 && at - start == 1)
        });
        if ends {
            chunks.extend(token.get(start..at).filter(|_| kind(bytes[start]) != 3));
            start = at;
        }
    }
    chunks
}

/// The longest run of consonants, and how many vowels there are.
fn consonants(token: &str) -> (usize, usize) {
    let consonant = |b: &u8| b.is_ascii_alphabetic() && !is_vowel(*b);
    let longest = token
        .as_bytes()
        .chunk_by(|a, b| consonant(a) && consonant(b))
        .filter(|run| consonant(&run[0]))
        .map(<[u8]>::len)
        .max();
    (
        longest.unwrap_or_default(),
        token.bytes().filter(|b| is_vowel(*b)).count(),
    )
}

fn is_vowel(b: u8) -> bool {
    b"aeiouy".contains(&b.to_ascii_lowercase())
}
