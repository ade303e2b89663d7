//! The end of a message about a name that is not known.

/// The nearest name, or those that there are.
pub(super) fn nearest(name: &str, known: &[&str]) -> String {
    match close(name, known) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => {
            let listed: Vec<String> = known.iter().map(|known| format!("`{known}`")).collect();
            format!("; there is {}", listed.join(", "))
        }
    }
}

/// The nearest name, where one is near.
pub(super) fn close<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    // Foreign names may be long, and the distance takes their product.
    let short: String = name
        .chars()
        .take(64)
        .map(|c| if c == '_' { '-' } else { c })
        .collect();
    let short = short.to_ascii_lowercase();
    let distances = known.iter().map(|known| {
        (
            strsim::damerau_levenshtein(&known.to_ascii_lowercase(), &short),
            *known,
        )
    });
    distances
        .filter(|(distance, known)| *distance <= (known.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered() {
        let known = ["cache-control", "content-type"];
        assert_eq!(
            nearest("cache_control", &known),
            "; did you mean `cache-control`?"
        );
        assert_eq!(nearest("Content-Typ", &known), "; did you mean `content-type`?");
        assert_eq!(
            nearest("acl", &known),
            "; there is `cache-control`, `content-type`"
        );
    }
}
