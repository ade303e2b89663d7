//! Account numbers: AWS puts them into ARNs and registry hosts. They are no secrets, but many people hide them, and
//! the runner drops a job output that holds a masked value. So the ledger and what leaves a job go without them.

/// What stands where an account number stood.
const ACCOUNT: &str = "<account>";

/// The text with the account numbers of ARNs (`arn:aws:ecs:eu-west-1:123456789012:…`) and of ECR hosts
/// (`123456789012.dkr.ecr.…`) replaced. Other runs of twelve digits, such as a date in a tag, stay.
#[must_use]
pub fn without(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let length = from.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, after) = from.split_at(length);
        kept.push_str(before);
        let account =
            length == 12 && (after.starts_with(".dkr.ecr") || (after.starts_with(':') && in_arn(&kept)));
        kept.push_str(if account { ACCOUNT } else { digits });
        rest = after;
    }
    kept.push_str(rest);
    kept
}

/// Whether a text ends in the four fields of an ARN that stand before the account
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>).
fn in_arn(before: &str) -> bool {
    let Some(start) = before.rfind("arn:") else {
        return false;
    };
    let fields = &before[start..];
    fields.matches(':').count() == 4 && fields.ends_with(':') && !fields.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn only_account_numbers_go() {
        for (text, kept) in [
            (
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1",
                "<account>.dkr.ecr.eu-west-1.amazonaws.com/app:1",
            ),
            (
                "arn:aws:ecs:eu-west-1:123456789012:service/a",
                "arn:aws:ecs:eu-west-1:<account>:service/a",
            ),
            (
                "arn:aws:iam::123456789012:role/a",
                "arn:aws:iam::<account>:role/a",
            ),
            ("app:202611221530", "app:202611221530"),
            ("x:1234567890123:y", "x:1234567890123:y"),
            ("time 123456789012:x", "time 123456789012:x"),
        ] {
            assert_eq!(without(text), kept);
        }
    }

    proptest! {
        #[test]
        fn text_without_digits_stays(text in any::<String>()) {
            let text: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
            assert_eq!(without(&text), text);
        }
    }
}
