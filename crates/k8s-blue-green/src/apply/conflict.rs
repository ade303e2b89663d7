//! Who has the fields that an apply would take, from the words of the server's refusal
//! (<https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts>). Pure.

/// The manager under which `kubectl apply` without `--server-side` writes. It is the same manifests' earlier way.
pub const EARLIER: &str = "kubectl-client-side-apply";

/// The managers that a refusal names, each once, in its order; none where it names none.
#[must_use]
pub fn managers(message: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    // `conflict with "x" using v1: .a` and `conflicts with "x":`
    for behind in message.split("with \"").skip(1) {
        let Some((manager, _)) = behind.split_once('"') else {
            continue;
        };
        if !found.iter().any(|known| known == manager) {
            found.push(manager.to_owned());
        }
    }
    found
}

/// Whether nobody has the fields but the same manifests' earlier way.
#[must_use]
pub fn is_earlier_way(message: &str) -> bool {
    let managers = managers(message);
    !managers.is_empty() && managers.iter().all(|manager| manager == EARLIER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn managers_are_found_in_one_conflict_and_in_many() {
        let one =
            r#"Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1: .data.a"#;
        let many = r#"Apply failed with 3 conflicts: conflicts with "helm":\n- .spec.a\n- .spec.b\nconflict with "kubectl-client-side-apply" using apps/v1: .spec.c"#;
        assert_eq!(managers(one), [EARLIER]);
        assert_eq!(managers(many), ["helm", EARLIER]);
        assert!(is_earlier_way(one) && !is_earlier_way(many) && !is_earlier_way("no"));
    }

    proptest! {
        #[test]
        fn nothing_panics(message in any::<String>()) {
            let _ = managers(&message);
        }
    }
}
