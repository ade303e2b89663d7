//! What the exit code of a container means.

/// The names of the signals that Linux numbers the same on x86-64 and on ARM
/// (<https://man7.org/linux/man-pages/man7/signal.7.html>), from 1.
const SIGNALS: [&str; 31] = [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];

/// What an exit code says by the conventions of shells and container runtimes
/// (<https://www.gnu.org/software/bash/manual/html_node/Exit-Status.html>); most codes are the program's own.
#[must_use]
pub fn meaning(code: i64) -> Option<String> {
    let meaning = match code {
        0 => "no error",
        1 => "the program's own error",
        2 => "wrong use of a command, or the program's own error",
        126 => "the command is there and can't be executed",
        127 => "command not found",
        134 => "SIGABRT: the program gave up on itself",
        137 => "SIGKILL: often too little memory, or it did not stop in time",
        139 => "SIGSEGV: it touched memory that is not its own",
        143 => "SIGTERM: it was asked to stop",
        129..=159 => {
            let index = usize::try_from(code - 129).ok()?;
            return SIGNALS.get(index).map(|name| format!("ended by {name}"));
        }
        _ => return None,
    };
    Some(meaning.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn codes_have_their_meaning() {
        for (code, part) in [
            (127, "not found"),
            (137, "SIGKILL"),
            (139, "SIGSEGV"),
            (143, "SIGTERM"),
            (129, "SIGHUP"),
            (132, "SIGILL"),
            (135, "SIGBUS"),
            (136, "SIGFPE"),
            (141, "SIGPIPE"),
            (152, "SIGXCPU"),
            (159, "SIGSYS"),
        ] {
            let text = meaning(code).unwrap();
            assert!(text.contains(part), "{code}: {text}");
        }
        for code in [3, 128, 160, 255, -1, 3_221_225_477] {
            assert_eq!(meaning(code), None, "{code}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(code in any::<i64>()) {
            let _ = meaning(code);
        }
    }
}
