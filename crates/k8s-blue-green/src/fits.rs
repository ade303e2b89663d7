//! Flags that can't be right whatever the cluster is like: they are refused before it is reached, so that a slip of the pen is not
//! hidden behind credentials that a laptop does not have. Pure.

use crate::canary;
use crate::cli::{self, Command, Strategy, Until};
use crate::color;
use crate::error::Error;
use crate::image::Wanted;
use crate::migrate::Asking;
use crate::object::Labels;
use crate::smoke::Smoke;
use crate::workload::Workload;

mod untaken;

/// Checks the flags of a command.
///
/// # Errors
/// When they can't be right; the first thing that is wrong.
pub fn fits(command: &Command) -> Result<(), Error> {
    match command {
        Command::Deploy(flags) | Command::Plan(flags) => deploy(flags),
        Command::Promote(flags) => {
            services(&flags.target, "`promote`")?;
            untaken::none_of(untaken::PROMOTE, &flags.given)
        }
        Command::Rollback(flags) => {
            either(&flags.target, "is to go back")?;
            Asking::of("migrate-down", flags.migrate_down.as_ref())?;
            if flags.migrate_down.is_some() && flags.target.service.is_empty() {
                return refuse(
                    "migrate-down",
                    "it is for a Service; a rolling deploy runs no migrations",
                );
            }
            let untaken = if flags.target.service.is_empty() {
                untaken::OF_WORKLOAD
            } else {
                untaken::BACK
            };
            untaken::none_of(untaken, &flags.given)
        }
        Command::Recover(flags) => {
            either(&flags.target, "the run deployed to")?;
            match flags.target.service.is_empty() {
                true => untaken::none_of(untaken::OF_WORKLOAD, &flags.given),
                false => Ok(()),
            }
        }
        Command::Status(flags) => services(&flags.target, "`status`"),
        Command::Diagnose(flags) => {
            if flags.target.service.is_empty() && flags.target.workload.is_empty() {
                return refuse(
                    "service",
                    "name what is to be looked at, or a `--workload deployment/web`",
                );
            }
            workloads(&flags.target)
        }
        Command::Gc(_) => Ok(()),
    }
}

fn deploy(flags: &cli::Deploy) -> Result<(), Error> {
    let (target, version) = (&flags.target, &flags.version);
    if flags.strategy == Strategy::Rolling {
        rolling(flags)?;
    } else {
        services(target, "this strategy")?;
    }
    if version.image.is_empty() && version.manifests.is_empty() {
        return refuse(
            "image",
            "name the new version, as `--image registry.example.com/web:1.2.3`, or by `--manifests`",
        );
    }
    for image in &version.image {
        Wanted::parse(image).map_err(|error| {
            let example = "write for example `web=registry.example.com/web:1.2.3`";
            flag("image", format!("{error}; {example}"))
        })?;
    }
    canary::asked(flags)?;
    if let Some(Until::Weight(weight)) = flags.until {
        canary::waits_at(flags, weight)?;
    }
    Asking::of("migrate", flags.migration.migrate.as_ref())?;
    if let Some(command) = &flags.gates.smoke {
        Smoke::of(command)
            .map_err(|error| Error::unfit(format!("{error}; write for example `./smoke.sh --quick`")))?;
    }
    label(&flags.switch)
}

/// What a rolling deploy has no place for.
fn rolling(flags: &cli::Deploy) -> Result<(), Error> {
    let target = &flags.target;
    workloads(target)?;
    let is_named = !target.workload.is_empty() || !target.service.is_empty();
    if !is_named && flags.version.manifests.is_empty() {
        return refuse("workload", "name what is rolled out, as `deployment/web`");
    }
    if flags.until.is_some() {
        return refuse(
            "until",
            "a rolling deploy has no preview to end at; it is for `--strategy blue-green`",
        );
    }
    untaken::none_of(untaken::ROLLING, &flags.given)
}

/// A command of Services: they are named, and no workload is.
fn services(target: &cli::Target, whose: &str) -> Result<(), Error> {
    if !target.workload.is_empty() {
        return Err(flag(
            "workload",
            format!("{whose} is about Services; name one with `--service`"),
        ));
    }
    if target.service.is_empty() {
        return refuse(
            "service",
            "name the Service whose traffic it is about, as `--service web`",
        );
    }
    Ok(())
}

/// A command of Services, or of a workload, but not of both.
fn either(target: &cli::Target, what: &str) -> Result<(), Error> {
    workloads(target)?;
    match (target.service.is_empty(), target.workload.is_empty()) {
        (true, true) => Err(flag(
            "service",
            format!(
                "name the Service that {what}, as `--service web`; after a rolling deploy `--workload deployment/web`"
            ),
        )),
        (false, false) => refuse(
            "workload",
            "it stands alone: `--service` is for blue-green deploys, `--workload` for rolling ones",
        ),
        _ => Ok(()),
    }
}

fn workloads(target: &cli::Target) -> Result<(), Error> {
    for name in &target.workload {
        Workload::parse(name).map_err(|error| flag("workload", error.to_string()))?;
    }
    Ok(())
}

fn label(flags: &cli::Switch) -> Result<(), Error> {
    if let Some(label) = &flags.color_label {
        color::label(Some(label), &Labels::new())
            .map_err(|error| flag("color-label", format!("{error}; write for example `color`")))?;
    }
    Ok(())
}

fn flag(flag: &'static str, reason: String) -> Error {
    Error::Flag { flag, reason }
}

fn refuse(name: &'static str, reason: &str) -> Result<(), Error> {
    Err(flag(name, reason.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn what_a_strategy_or_a_command_does_not_take_is_refused_even_at_its_default() {
        let rolling = "deploy --strategy rolling --workload deployment/web --image web:2";
        let plan = rolling.replace("deploy --", "plan --");
        for (line, flags) in [
            (
                rolling,
                &[
                    "--switch auto",
                    "--overlap 30s",
                    "--soak 1m",
                    "--drain 5m",
                    "--retire scale",
                    "--color-label color",
                    "--preview-port http",
                    "--replicas 3",
                    "--lock-timeout 0s",
                    "--migrate bin/migrate",
                    "--migrate-timeout 15m",
                    "--retry-migration",
                    "--until preview",
                    "--route pods",
                    "--steps '10% 5m, 100%'",
                    "--header 'canary: true'",
                ][..],
            ),
            (&plan, &["--soak 1m"]),
            (
                "promote --service web",
                &[
                    "--smoke ./smoke.sh",
                    "--smoke-timeout 5m",
                    "--preview-port http",
                    "--retire scale",
                    "--color-label color",
                    "--unschedulable-grace 5m",
                ],
            ),
            (
                "rollback --service web",
                &["--lock-timeout 0s", "--unschedulable-grace 5m"],
            ),
            ("rollback --workload deployment/web", &["--lock-timeout 0s"]),
            ("recover --workload deployment/web", &["--lock-timeout 0s"]),
        ] {
            assert_eq!(says(line), Ok(()), "{line}");
            for flag in flags {
                let said = says(&format!("{line} {flag}")).unwrap_err();
                let name = flag.split(' ').next().unwrap();
                assert!(said.starts_with(&format!("`{name}`: ")), "{line} {flag}: {said}");
            }
        }
    }

    fn says(line: &str) -> Result<(), String> {
        let words = shlex::split(&format!("k8s-blue-green {line}")).unwrap();
        let cli = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
        fits(&cli.command).map_err(|error| error.to_string())
    }

    #[test]
    fn what_can_work_is_let_through() {
        for line in [
            "deploy --service web --image web:2",
            "deploy --service web --service api --image web:2 --image api:2",
            "deploy --service web --manifests k8s/ --migrate 'web=bin/migrate' --smoke './smoke.sh' --until preview",
            "deploy --strategy rolling --service web --image web:2",
            "deploy --strategy rolling --workload sts/db --image db:2",
            "deploy --strategy rolling --manifests k8s/",
            "deploy --service web --image web:2 --strategy canary --route httproute/web --until 50%",
            "plan --service web --image web:2 --strategy canary --route pods --steps '25% 5m, 100%'",
            "promote --service web",
            "rollback --service web --migrate-down 'bin/migrate down'",
            "rollback --workload deployment/web",
            "recover --workload deployment/web --timeout 2m",
            "recover --service web --lock-timeout 1m --timeout 2m",
            "rollback --service web --timeout 2m --api-grace 1m",
            "deploy --strategy rolling --service web --image web:2 --smoke './smoke.sh' --smoke-timeout 1m --gate gate.yml",
            "deploy --strategy rolling --service web --image web:2 --timeout 1m --unschedulable-grace 1m --api-grace 1m --on-failure leave",
            "deploy --strategy canary --service web --image web:2 --route pods --soak 1m --drain 5m --steps '25% 5m, 100%'",
            "promote --service web --switch atomic --overlap 1m --soak 1m --drain 1m --timeout 1m --lock-timeout 1m --gate gate.yml",
            "status --service web",
            "diagnose --service web --workload deployment/web",
            "gc",
        ] {
            assert_eq!(says(line), Ok(()), "{line}");
        }
    }

    #[test]
    fn what_can_not_names_its_flag() {
        for (line, name) in [
            ("deploy --image web:2", "service"),
            ("deploy --service web", "image"),
            ("deploy --service web --image 'web='", "image"),
            ("deploy --service web --image web:2 --migrate 'job/'", "migrate"),
            ("deploy --service web --image web:2 --smoke \"a 'b\"", "smoke"),
            (
                "deploy --service web --image web:2 --color-label 'a b'",
                "color-label",
            ),
            (
                "deploy --service web --workload deployment/web --image web:2",
                "workload",
            ),
            ("deploy --strategy rolling --image web:2", "workload"),
            (
                "deploy --strategy rolling --workload web --image web:2",
                "workload",
            ),
            ("deploy --strategy rolling --workload deployment/web", "image"),
            (
                "deploy --strategy rolling --service web --image web:2 --until preview",
                "until",
            ),
            ("deploy --service web --image web:2 --until 10%", "until"),
            ("deploy --service web --image web:2 --route pods", "route"),
            ("deploy --service web --image web:2 --strategy canary", "route"),
            (
                "plan --service web --image web:2 --strategy canary --route pods --route ingress/web",
                "route",
            ),
            (
                "deploy --service web --image web:2 --strategy canary --route ingress/web --until 11%",
                "until",
            ),
            (
                "deploy --service web --service api --image web:2 --strategy canary --route ingress/web",
                "service",
            ),
            ("promote", "service"),
            ("promote --service web --workload deployment/web", "workload"),
            ("promote --service web --smoke './smoke.sh'", "smoke"),
            ("rollback", "service"),
            ("rollback --service web --workload deployment/web", "workload"),
            (
                "rollback --workload deployment/web --migrate-down 'bin/down'",
                "migrate-down",
            ),
            ("recover", "service"),
            ("recover --workload pod/web", "workload"),
            ("status", "service"),
            ("status --workload deployment/web", "workload"),
            ("diagnose", "service"),
        ] {
            let said = says(line).unwrap_err();
            assert!(said.starts_with(&format!("`--{name}`")), "{line}: {said}");
        }
    }
}
