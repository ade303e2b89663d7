//! How nodes, networks and images are; a test changes what its story needs.

use std::net::SocketAddr;
use std::time::Duration;

use super::kubelet::Behaviour;

/// Each is read when it matters, so that a change holds from then on.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The nodes; pods are given to them in turn.
    pub nodes: Vec<String>,
    /// From a change of pods or of a selector until EndpointSlices show it.
    pub endpoint_lag: Duration,
    /// From a change of EndpointSlices until connections go by it.
    pub proxy_lag: Duration,
    /// From a change of an HTTPRoute until its gateway has taken it.
    pub route_lag: Duration,
    /// Why no pod may be made, if none may, in an admission controller's words.
    pub deny_pods: Option<String>,
    /// Images that behave otherwise than their tags say; the last that fits holds.
    pub images: Vec<(String, Behaviour)>,
    /// What a port-forward reaches: a pattern of pod names (`*` is any text), a port, an address.
    pub listeners: Vec<(String, u16, SocketAddr)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            nodes: ["node-1", "node-2", "node-3"].map(str::to_owned).to_vec(),
            endpoint_lag: Duration::from_millis(200),
            proxy_lag: Duration::from_millis(500),
            route_lag: Duration::from_secs(1),
            deny_pods: None,
            images: Vec::new(),
            listeners: Vec::new(),
        }
    }
}

impl Settings {
    /// What an image does.
    pub(crate) fn behaviour(&self, image: &str) -> Behaviour {
        let known = self.images.iter().rev().find(|(name, _)| name == image);
        known.map_or_else(|| Behaviour::by_name(image), |(_, behaviour)| behaviour.clone())
    }
}

/// Whether a text is as a pattern has it, in which `*` is any text.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((begin, rest)) => text.strip_prefix(begin).is_some_and(|text| {
            text.char_indices()
                .map(|(at, _)| at)
                .chain([text.len()])
                .any(|at| matches(rest, &text[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_any_text_in_a_star() {
        for (pattern, text, expected) in [
            ("web-*", "web-1", true),
            ("web-*", "api-1", false),
            ("*", "", true),
            ("*-b*c", "a-bxc", true),
            ("a", "ab", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
