//! Gates of a deploy to Kubernetes. Besides their own variables they know `version`, `image`, `service`, `namespace`, `color` and
//! `preview_url`, where the new version is before it has traffic.

use std::time::Duration;

use gate::gates::{self, FlagError, Making, Says, Tool, Unasked};
use gate::run::Made;
use gate::setup::Setup;
use gate::spec::{Part, Spec};
use gha::{Failure, Runner, text};

use crate::cli;
use crate::error::Error;
use crate::place::Place;

pub use gate::gates::told;
use told::Told;

/// The variable of the preview's address, and what stands for it until there is one.
const PREVIEW: (&str, &str) = ("preview_url", "http://127.0.0.1:1");

/// The preset that must judge crashes, which nothing here measures. `slo-default` judges them only where something does.
const JUDGES_CRASHES: &str = "canary";

/// The gates that the flags ask for.
pub struct Gates {
    /// Those that look at the preview: all of them is asked there, before there is traffic.
    preview: gates::Gates,
    /// Those that look at what users see: they watch while there is traffic.
    traffic: gates::Gates,
}

/// What gates know of a version.
#[derive(Clone, Debug, Default)]
pub struct Candidate {
    /// The Service that it is for.
    pub service: String,
    /// Its image.
    pub image: String,
    /// Its colour.
    pub color: String,
    /// Where it is before it has traffic.
    pub preview_url: Option<String>,
}

/// What makes gates of their files: nothing of the cluster is told to them.
struct Plain;

impl Gates {
    /// The gates of the flags, read and checked; nothing is asked. What is not known yet of the new version has a stand-in until
    /// [`Gates::about`].
    ///
    /// # Errors
    /// When a file can't be read, or is wrong.
    pub fn of(flags: &cli::Gates, place: &Place<'_>) -> Result<Self, Failure> {
        for gate in &flags.gate {
            let preset = gate.split_whitespace().next().unwrap_or_default();
            if preset == JUDGES_CRASHES && gate.contains("://") {
                return Err(Error::Flag {
                    flag: "gate",
                    reason: format!(
                        "the preset `{preset}` judges crashes by a source; write `slo-default` or `steady` with the address, or a gate \
                         file with the rules that you want: crashes of the new version's pods end the deploy without a gate"
                    ),
                }
                .into());
            }
        }
        let facts = facts(&Candidate::default(), place);
        let (preview, traffic): (Vec<String>, Vec<String>) = flags
            .gate
            .iter()
            .cloned()
            .partition(|gate| mentions_preview(gate));
        let read = |asked: &[String], is_only: bool| {
            // Variables without a gate are a fault, which is the flags' and not that of one half of them.
            let variables = if asked.is_empty() && !is_only {
                &[][..]
            } else {
                &flags.gate_var
            };
            let gates = gates::Gates::of(asked, variables, facts.clone(), &Plain, place.runner);
            gates.map_err(Error::from)
        };
        Ok(Self {
            preview: read(&preview, false)?,
            traffic: read(&traffic, preview.is_empty())?,
        })
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.preview.is_empty() && self.traffic.is_empty()
    }

    /// Whether one of them looks at the preview.
    #[must_use]
    pub fn previews(&self) -> bool {
        !self.preview.is_empty()
    }

    /// Whether one of them watches traffic for a time.
    #[must_use]
    pub fn watches(&self, place: &Place<'_>) -> bool {
        self.traffic.watches(&Plain, place.runner)
    }

    /// Checks that each watch of traffic can judge in so short a time.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn fits(&self, time: Duration, place: &Place<'_>) -> Result<(), Failure> {
        let fits = self.traffic.fits(time, &Plain, place.runner);
        Ok(fits.map_err(Error::from)?)
    }

    /// Asks every source once, before anything is changed.
    ///
    /// # Errors
    /// When a source will never answer, or a secret is not there.
    pub async fn preflight(&self, place: &Place<'_>) -> Result<(), Failure> {
        for gates in [&self.preview, &self.traffic] {
            let asked = gates.preflight(&Plain, place.runner).await;
            asked.map_err(|unasked| match unasked {
                Unasked::Flag(error) => Error::from(error).into(),
                Unasked::Source { exit, reason } => Failure::new(exit, reason),
            })?;
        }
        Ok(())
    }

    /// Says which version is judged from now on.
    pub fn about(&self, candidate: &Candidate, place: &Place<'_>) {
        for gates in [&self.preview, &self.traffic] {
            gates.about(facts(candidate, place));
        }
    }

    /// Runs all of what looks at the preview of the version that they are about.
    pub async fn preview(&self, place: &Place<'_>) -> Says {
        self.preview.run(Part::Whole, &Plain, place.runner).await
    }

    /// Runs, of what watches traffic, what must be ready before there is any. `is_last` runs all of it, because nothing watches it
    /// later.
    pub async fn ready(&self, is_last: bool, place: &Place<'_>) -> Says {
        let part = if is_last { Part::Whole } else { Part::Wait };
        self.traffic.run(part, &Plain, place.runner).await
    }

    /// Runs all gates whole.
    pub async fn whole(&self, place: &Place<'_>) -> Says {
        match self.preview(place).await {
            Says::Pass => self.ready(true, place).await,
            says => says,
        }
    }

    /// Runs what watches traffic, each for that long.
    pub async fn watch(&self, time: Duration, place: &Place<'_>) -> Says {
        self.traffic.run(Part::Watch(time), &Plain, place.runner).await
    }

    /// What the gates came to that have ended, for the result and the summary.
    #[must_use]
    pub fn told(&self) -> Vec<Told> {
        [&self.preview, &self.traffic]
            .into_iter()
            .flat_map(gates::Gates::told)
            .collect()
    }
}

impl Tool for Plain {
    fn tells_ecs(&self) -> bool {
        false
    }

    fn made<'a>(&'a self, spec: &'a Spec, runner: &'a Runner) -> Making<'a> {
        Box::pin(async move {
            let setup = Setup::new(spec, runner);
            Made::of(spec, &setup).await.map_err(|error| error.to_string())
        })
    }

    fn behind(&self) -> Option<String> {
        None
    }
}

impl From<FlagError> for Error {
    fn from(error: FlagError) -> Self {
        let FlagError { flag, reason } = error;
        Self::Flag { flag, reason }
    }
}

/// The variables that gate files know of a version.
fn facts(candidate: &Candidate, place: &Place<'_>) -> Vec<(String, String)> {
    let image = Some(&candidate.image).filter(|image| !image.is_empty());
    let version = image.and_then(|image| version(image));
    let preview = candidate.preview_url.as_deref().unwrap_or(PREVIEW.1);
    [
        ("version", version.unwrap_or_else(|| "0.0.0".to_owned())),
        (
            "image",
            image.map_or_else(|| "image:0.0.0".to_owned(), Clone::clone),
        ),
        ("service", candidate.service.clone()),
        ("namespace", place.namespace.clone()),
        ("color", candidate.color.clone()),
        (PREVIEW.0, preview.to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), text::line(&value)))
    .collect()
}

/// The version that an image names: its tag, else its digest.
fn version(image: &str) -> Option<String> {
    let (name, digest) = image
        .split_once('@')
        .map_or((image, None), |(name, digest)| (name, Some(digest)));
    let last = name.rsplit('/').next().unwrap_or(name);
    let tag = last.split_once(':').map(|(_, tag)| tag.to_owned());
    tag.or_else(|| digest.map(str::to_owned))
}

/// Whether a gate file has the variable of the preview in it.
fn mentions_preview(path: &str) -> bool {
    std::fs::read_to_string(path.trim()).is_ok_and(|file| file.contains(PREVIEW.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_an_image_is_its_tag_or_its_digest() {
        for (image, expected) in [
            ("registry:5000/shop/web:1.2.3", Some("1.2.3")),
            ("web:1.2.3@sha256:ab", Some("1.2.3")),
            ("registry:5000/web@sha256:ab", Some("sha256:ab")),
            ("registry:5000/web", None),
        ] {
            assert_eq!(version(image).as_deref(), expected, "{image}");
        }
    }

    /// What the halves of the gates do, for one file that looks at the preview and one that watches traffic.
    #[tokio::test]
    async fn what_looks_at_the_preview_is_asked_before_and_the_others_watch_traffic() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, format!("version: 1\n{content}")).unwrap();
            path.display().to_string()
        };
        let steady = "watch: { duration: 10m, probe: { http: \"https://shop.example.com/health\", rate: 1/s }, preset: steady }\n";
        let preview = file(
            "preview.yml",
            "wait: { timeout: 1s, interval: 500ms, targets: [{ name: no, exec: test, args: [\"{{preview_url}}\", =, x] }] }\n",
        );
        let looks_long = file(
            "long.yml",
            &steady.replace("https://shop.example.com", "{{preview_url}}"),
        );
        let traffic = file("traffic.yml", steady);
        let (runner, _) = gha::edge::testing::runner(&[]);
        let flags = cli::Place::default();
        let nobody = tower::service_fn(|_: http::Request<kube::client::Body>| async {
            Err::<http::Response<kube::client::Body>, _>(std::io::Error::other("nobody is asked"))
        });
        let api = crate::api::Api::new(kube::Client::new(nobody, "shop"));
        let place = Place::with(api, "shop", &flags, &runner);
        let gates = |paths: &[&String]| {
            let gate = paths.iter().map(|path| (*path).clone()).collect();
            let flags = cli::Gates {
                gate,
                ..cli::Gates::default()
            };
            Gates::of(&flags, &place).unwrap()
        };
        let minute = Duration::from_secs(60);

        let both = gates(&[&preview, &traffic]);
        assert!(both.previews() && both.watches(&place) && !both.is_empty());
        let refused = both.fits(minute, &place).unwrap_err();
        assert!(refused.error.to_string().contains("traffic.yml"), "{refused:?}");
        assert!(both.fits(minute * 5, &place).is_ok());
        let says = both.preview(&place).await;
        assert!(matches!(says, Says::Fail(_)), "{says:?}");
        assert_eq!(both.told().len(), 1);

        // It has all the time it asks for, on the preview, and nothing to say when traffic flows.
        let long = gates(&[&looks_long]);
        assert!(long.previews() && !long.watches(&place) && long.fits(minute, &place).is_ok());
        assert_eq!(long.watch(minute, &place).await, Says::Pass);
        assert!(long.told().is_empty());

        let preset = |name: &str| {
            let flags = cli::Gates {
                gate: vec![format!("{name} https://shop.example.com/health 20m")],
                ..cli::Gates::default()
            };
            Gates::of(&flags, &place).map(drop)
        };
        for name in ["slo-default", "steady", "severity"] {
            assert!(preset(name).is_ok(), "{name}");
        }
        let refused = preset("canary").unwrap_err();
        assert!(
            refused.error.to_string().contains("judges crashes"),
            "{refused:?}"
        );

        let lonely = cli::Gates {
            gate_var: vec!["tier=web".to_owned()],
            ..cli::Gates::default()
        };
        assert!(Gates::of(&lonely, &place).is_err());
    }
}
