//! Names in a gate file: which are allowed, and which one was meant.

/// How many names are listed where none is near.
const LISTED: usize = 12;

/// Whether a text can name a source, signal, probe or rule: `[a-z][a-z0-9_-]*`, at most 64 characters.
pub(crate) fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'))
}

/// The end of a message about an unknown name: the nearest one, or those that there are.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    // Foreign names may be long, and the distance takes their product.
    let short: String = name.chars().take(64).collect();
    let near = known
        .iter()
        .filter(|known| known.len() <= 64)
        .map(|known| (strsim::damerau_levenshtein(known, &short), *known))
        .filter(|(distance, known)| *distance <= (known.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance);
    match near {
        Some((_, near)) => format!("; did you mean `{near}`?"),
        None if known.is_empty() => String::new(),
        None => {
            let more = if known.len() > LISTED { ", …" } else { "" };
            let listed: Vec<String> = known
                .iter()
                .take(LISTED)
                .map(|known| format!("`{known}`"))
                .collect();
            format!("; there is {}{more}", listed.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        for name in ["a", "error-rate", "p95_2"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "5xx", "A", "a b", "-a", "ä", &"a".repeat(65)] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn the_nearest_name_is_offered() {
        assert_eq!(nearest("prmo", ["prom", "cw"]), "; did you mean `prom`?");
        assert_eq!(nearest("x", ["prom", "datadog"]), "; there is `prom`, `datadog`");
        assert_eq!(nearest("x", []), "");
    }
}
