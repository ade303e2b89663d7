//! What `--manifests` names: files, folders, patterns, standard input, or what another program renders. Pure.

/// Where manifests come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A file, a folder or a pattern.
    Path(String),
    /// Standard input.
    Input,
    /// A folder with a kustomization.
    Kustomize(String),
    /// What `helm template` is given: release, chart, arguments.
    Helm(Vec<String>),
}

impl Source {
    /// Reads a value of `--manifests`.
    pub(super) fn parse(value: &str) -> Result<Self, &'static str> {
        let value = value.trim();
        if value == "-" {
            return Ok(Self::Input);
        }
        if let Some(folder) = value.strip_prefix("kustomize:") {
            let folder = folder.trim();
            // What begins with `-` would be an argument.
            return match folder.is_empty() || folder.starts_with('-') {
                true => Err("needs a folder, as in `kustomize:deploy/production`"),
                false => Ok(Self::Kustomize(folder.to_owned())),
            };
        }
        if let Some(line) = value.strip_prefix("helm:") {
            let words = shlex::split(line).ok_or("has a quote that is not closed")?;
            return match words.as_slice() {
                [release, chart, ..] if !release.starts_with('-') && !chart.starts_with('-') => {
                    Ok(Self::Helm(words))
                }
                _ => Err("needs a release and a chart, as in `helm:web ./chart --values production.yaml`"),
            };
        }
        match value.is_empty() {
            true => Err("is empty"),
            false => Ok(Self::Path(value.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn values_are_told_apart() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        for (value, expected) in [
            ("k8s/", Ok(Source::Path("k8s/".to_owned()))),
            (" - ", Ok(Source::Input)),
            (
                "kustomize:overlays/prod",
                Ok(Source::Kustomize("overlays/prod".to_owned())),
            ),
            (
                "helm:web ./chart --set 'a=b c'",
                Ok(Source::Helm(words(&["web", "./chart", "--set", "a=b c"]))),
            ),
            (
                "helm:web",
                Err("needs a release and a chart, as in `helm:web ./chart --values production.yaml`"),
            ),
            (
                "helm:--post-renderer x",
                Err("needs a release and a chart, as in `helm:web ./chart --values production.yaml`"),
            ),
            ("helm:web 'x", Err("has a quote that is not closed")),
            (
                "kustomize:-h",
                Err("needs a folder, as in `kustomize:deploy/production`"),
            ),
            ("", Err("is empty")),
        ] {
            assert_eq!(Source::parse(value), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(value in any::<String>()) {
            let _ = Source::parse(&value);
        }
    }
}
