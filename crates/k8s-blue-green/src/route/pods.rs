//! A share by the number of pods behind one Service: an approximation, for clusters where nothing divides requests.
//!
//! With N pods of the old version, which keep running so that a rollback is instant, c of the new one get about c of N + c of new
//! connections. So only such shares can be had, up to a half; the last step, all, is a switch. Connections that are kept alive stay
//! where they are, and kube-proxy chooses a pod for a connection, not for a request
//! (<https://kubernetes.io/docs/reference/networking/virtual-ips/>).

use gha::steps::{Step, Weight};

use super::RouteError;

/// How near a share can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approximation {
    /// What was asked for.
    pub asked: Weight,
    /// Pods of the new version.
    pub canary: u32,
    /// Pods of both.
    pub all: u32,
}

impl Approximation {
    /// The share that it is, in percent.
    #[must_use]
    pub fn percent(self) -> f64 {
        f64::from(self.canary) * 100.0 / f64::from(self.all.max(1))
    }
}

/// The number of pods that comes nearest to a share, beside `stable` of the old version. All of it is as many pods as the old
/// version has, and none of the old behind the Service.
///
/// # Errors
/// When the share is more than a half and not all, or so small that one pod would get more than twice of it.
pub fn nearest(share: Weight, stable: u32) -> Result<Approximation, RouteError> {
    let refuse = |why: String| RouteError::Pods { share, why };
    if stable == 0 {
        return Err(refuse("there is no pod of the old version".to_owned()));
    }
    if share == Weight::FULL {
        return Ok(Approximation {
            asked: share,
            canary: stable,
            all: stable,
        });
    }
    let tenths = u64::from(share.tenths());
    if tenths > 500 {
        let why = "the old version keeps its pods and the new one gets as many, so that a half is the most before `100%`";
        return Err(refuse(why.to_owned()));
    }
    // c of N + c is the share where c is N · share / (1 - share).
    let (stable_long, rest) = (u64::from(stable), 1000 - tenths);
    let rounded = (stable_long * tenths + rest / 2) / rest;
    let canary = if tenths == 0 { 0 } else { rounded.max(1) };
    let all = stable_long + canary;
    if canary * 1000 > 2 * tenths * all {
        let needed = rest.div_ceil(tenths);
        return Err(refuse(format!(
            "one pod beside {stable} of the old version gets 1 of {all} connections; with {needed} of them it could"
        )));
    }
    let counts = u32::try_from(canary).ok().zip(u32::try_from(all).ok());
    let (canary, all) = counts.ok_or_else(|| refuse("there are too many pods".to_owned()))?;
    Ok(Approximation {
        asked: share,
        canary,
        all,
    })
}

/// The numbers of pods of all steps.
///
/// # Errors
/// When one of them can't be had, or two are the same.
pub fn nearest_of(steps: &[Step], stable: u32) -> Result<Vec<Approximation>, RouteError> {
    let all: Vec<Approximation> = steps
        .iter()
        .map(|step| nearest(step.weight, stable))
        .collect::<Result<_, _>>()?;
    let same = all
        .windows(2)
        .find(|pair| pair[0].canary == pair[1].canary && pair[0].all == pair[1].all);
    match same {
        None => Ok(all),
        Some(pair) => Err(RouteError::Pods {
            share: pair[1].asked,
            why: format!(
                "it is the same number of pods as `{}`, {}",
                pair[0].asked, pair[1].canary
            ),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gha::steps::Steps;
    use proptest::prelude::proptest;

    #[test]
    fn the_nearest_number_of_pods() {
        for (share, stable, canary) in [
            ("50%", 4, 4),
            ("20%", 4, 1),
            ("25%", 4, 1),
            ("33.3%", 4, 2),
            ("5%", 19, 1),
            ("5%", 10, 1),
            ("10%", 100, 11),
            ("100%", 3, 3),
            ("50%", 1, 1),
        ] {
            let found = nearest(share.parse().unwrap(), stable).unwrap();
            assert_eq!(found.canary, canary, "{share} of {stable}");
        }
        assert_eq!(nearest(Weight::NONE, 3).unwrap().percent(), 0.0);
        assert_eq!(nearest("50%".parse().unwrap(), 3).unwrap().percent(), 50.0);
    }

    #[test]
    fn what_can_not_be_had_is_refused() {
        for (share, stable, says) in [
            ("5%", 2, "with 19 of them"),
            ("0.1%", 100, "with 999 of them"),
            ("60%", 4, "a half is the most"),
            ("5%", 0, "no pod of the old version"),
        ] {
            let error = nearest(share.parse().unwrap(), stable).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        let steps: Steps = "20% 1m, 25% 1m, 100%".parse().unwrap();
        let error = nearest_of(steps.as_slice(), 4).unwrap_err().to_string();
        assert!(error.contains("same number of pods as `20%`"), "{error}");
        let steps: Steps = "20% 1m, 50% 1m, 100%".parse().unwrap();
        let counts: Vec<u32> = nearest_of(steps.as_slice(), 4)
            .unwrap()
            .iter()
            .map(|one| one.canary)
            .collect();
        assert_eq!(counts, [1, 4, 4]);
    }

    proptest! {
        #[test]
        fn no_number_is_nearer_than_it_says(tenths in 0u16..=1000, stable in 0u32..=5000) {
            let share = Weight::of_tenths(tenths).unwrap();
            if let Ok(found) = nearest(share, stable) {
                assert!(found.canary <= stable);
                assert!(found.percent() <= 2.0 * share.percent() + 1e-9);
            }
        }
    }
}
