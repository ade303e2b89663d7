//! Dates in the tokens of Moment.js (<https://momentjs.com/docs/#/displaying/format/>), in its English locale.
//!
//! A token that Moment.js does not know is text. Text between brackets stays as it is, and a backslash keeps the
//! token after it from being read.

mod format;

use format::{Piece, expand, pieces};
use jiff::Zoned;
use jiff::civil::{Date, Weekday};

/// A moment in a zone.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    pub(crate) at: Zoned,
    /// What `z` gives, such as `UTC` or `CET`.
    pub(crate) zone_name: String,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

impl Moment {
    /// Fills in a format; an empty one is ISO 8601 to the second.
    pub(crate) fn format(&self, format: &str) -> String {
        if format.is_empty() {
            let zone = if self.at.offset().is_zero() { "[Z]" } else { "Z" };
            return self.format(&format!("YYYY-MM-DDTHH:mm:ss{zone}"));
        }
        let mut out = String::new();
        for piece in pieces(&expand(format)) {
            match piece {
                Piece::Text(text) => out.push_str(&text),
                Piece::Token(token) => out.push_str(&self.token(token)),
                Piece::Fraction(digits) => out.push_str(&self.fraction(digits)),
            }
        }
        out
    }

    fn token(&self, token: &str) -> String {
        let at = &self.at;
        let (date, year, month, day) = (at.date(), at.year(), at.month(), at.day());
        let (hour, minute, second) = (at.hour(), at.minute(), at.second());
        let weekday = i64::from(date.weekday().to_sunday_zero_offset());
        let iso = date.iso_week_date();
        let (local_year, local_week) = sunday_week(date);
        match token {
            "M" => month.to_string(),
            "Mo" => ordinal(month.into()),
            "MM" => format!("{month:02}"),
            "MMM" => name(&MONTHS, month - 1)[..3].to_owned(),
            "MMMM" => name(&MONTHS, month - 1).to_owned(),
            "Q" => quarter(month).to_string(),
            "Qo" => ordinal(quarter(month)),
            "D" => day.to_string(),
            "Do" => ordinal(day.into()),
            "DD" => format!("{day:02}"),
            "DDD" => date.day_of_year().to_string(),
            "DDDo" => ordinal(date.day_of_year().into()),
            "DDDD" => format!("{:03}", date.day_of_year()),
            "d" | "e" => weekday.to_string(),
            "do" => ordinal(weekday),
            "dd" => name(&DAYS, date.weekday().to_sunday_zero_offset())[..2].to_owned(),
            "ddd" => name(&DAYS, date.weekday().to_sunday_zero_offset())[..3].to_owned(),
            "dddd" => name(&DAYS, date.weekday().to_sunday_zero_offset()).to_owned(),
            "E" => date.weekday().to_monday_one_offset().to_string(),
            "w" => local_week.to_string(),
            "wo" => ordinal(local_week),
            "ww" => format!("{local_week:02}"),
            "W" => iso.week().to_string(),
            "Wo" => ordinal(iso.week().into()),
            "WW" => format!("{:02}", iso.week()),
            "gg" => format!("{:02}", local_year % 100),
            "gggg" => format!("{local_year:04}"),
            "ggggg" => format!("{local_year:05}"),
            "GG" => format!("{:02}", iso.year() % 100),
            "GGGG" => format!("{:04}", iso.year()),
            "GGGGG" => format!("{:05}", iso.year()),
            "Y" | "YYYY" | "yyyy" => format!("{year:04}"),
            "YY" => format!("{:02}", year % 100),
            "YYYYY" => format!("{year:05}"),
            "YYYYYY" => format!("{year:+07}"),
            "y" | "yy" | "yyy" => year.to_string(),
            "yo" => ordinal(year.into()),
            "N" | "NN" | "NNN" | "NNNNN" => "AD".to_owned(),
            "NNNN" => "Anno Domini".to_owned(),
            "A" => half_of_day(hour).to_owned(),
            "a" => half_of_day(hour).to_lowercase(),
            "H" => hour.to_string(),
            "HH" => format!("{hour:02}"),
            "h" => twelve(hour).to_string(),
            "hh" => format!("{:02}", twelve(hour)),
            "k" => twenty_four(hour).to_string(),
            "kk" => format!("{:02}", twenty_four(hour)),
            "Hmm" => format!("{hour}{minute:02}"),
            "Hmmss" => format!("{hour}{minute:02}{second:02}"),
            "hmm" => format!("{}{minute:02}", twelve(hour)),
            "hmmss" => format!("{}{minute:02}{second:02}", twelve(hour)),
            "m" => minute.to_string(),
            "mm" => format!("{minute:02}"),
            "s" => second.to_string(),
            "ss" => format!("{second:02}"),
            "x" => at.timestamp().as_millisecond().to_string(),
            "X" => at.timestamp().as_second().to_string(),
            "Z" => self.offset(":"),
            "ZZ" => self.offset(""),
            "z" | "zz" => self.zone_name.clone(),
            text => text.to_owned(),
        }
    }

    /// Fractions of a second to so many digits; there are no more than milliseconds.
    fn fraction(&self, digits: usize) -> String {
        format!("{:03}000000", self.at.millisecond())
            .chars()
            .take(digits)
            .collect()
    }

    fn offset(&self, between: &str) -> String {
        let seconds = self.at.offset().seconds();
        let sign = if seconds < 0 { '-' } else { '+' };
        let minutes = seconds.abs() / 60;
        format!("{sign}{:02}{between}{:02}", minutes / 60, minutes % 60)
    }
}

fn name<'a>(names: &[&'a str], index: i8) -> &'a str {
    usize::try_from(index)
        .ok()
        .and_then(|index| names.get(index).copied())
        .unwrap_or("   ")
}

fn quarter(month: i8) -> i64 {
    (i64::from(month) + 2) / 3
}

fn half_of_day(hour: i8) -> &'static str {
    if hour < 12 { "AM" } else { "PM" }
}

fn twelve(hour: i8) -> i8 {
    if hour % 12 == 0 { 12 } else { hour % 12 }
}

fn twenty_four(hour: i8) -> i8 {
    if hour == 0 { 24 } else { hour }
}

fn ordinal(n: i64) -> String {
    let suffix = match (n % 100 / 10, n % 10) {
        (1, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{n}{suffix}")
}

/// Year and week where weeks start on Sunday and the first holds 1 January.
fn sunday_week(date: Date) -> (i64, i64) {
    let january = |year: i16| Date::new(year, 1, 1).unwrap_or(date);
    let offset = |day: Date| i64::from(day.weekday().to_sunday_zero_offset());
    let in_next = date.month() == 12
        && i64::from(date.day()) + (i64::from(Weekday::Saturday.to_sunday_zero_offset()) - offset(date)) > 31;
    if in_next {
        return (i64::from(date.year()) + 1, 1);
    }
    let first = offset(january(date.year()));
    (
        date.year().into(),
        (i64::from(date.day_of_year()) - 1 + first) / 7 + 1,
    )
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;

    fn moment(at: &str, zone: &str) -> Moment {
        let at: Timestamp = at.parse().unwrap();
        let zone = TimeZone::get(zone).unwrap();
        let zone_name = zone.to_offset_info(at).abbreviation().to_owned();
        Moment {
            at: at.to_zoned(zone),
            zone_name,
        }
    }

    #[test]
    fn tokens() {
        let moment = moment("2020-01-10T00:30:05.678Z", "UTC");
        let cases = [
            ("YYYYMMDD-HHmmss", "20200110-003005"),
            ("YY YYYYY YYYYYY Y y yo", "20 02020 +002020 2020 2020 2020th"),
            ("M Mo MM MMM MMMM", "1 1st 01 Jan January"),
            ("D Do DD DDD DDDo DDDD", "10 10th 10 10 10th 010"),
            ("d do dd ddd dddd e E", "5 5th Fr Fri Friday 5 5"),
            ("w wo ww W Wo WW", "2 2nd 02 2 2nd 02"),
            ("gg gggg ggggg GG GGGG GGGGG", "20 2020 02020 20 2020 02020"),
            ("GGGG-[W]WW", "2020-W02"),
            ("Q Qo", "1 1st"),
            ("k kk H h hh A a", "24 24 0 12 12 AM am"),
            ("Hmm Hmmss hmm hmmss", "030 03005 1230 123005"),
            ("m mm s ss", "30 30 5 05"),
            ("S SS SSS SSSS SSSSSSSSSS", "6 67 678 6780 6780000006"),
            ("X x", "1578616205 1578616205678"),
            ("Z ZZ z zz", "+00:00 +0000 UTC UTC"),
            ("N NNNN NNNNN", "AD Anno Domini AD"),
            (
                "L|LL|LLL|LLLL|LT|LTS",
                "01/10/2020|January 10, 2020|January 10, 2020 12:30 AM|Friday, January 10, 2020 12:30 AM|12:30 AM|12:30:05 AM",
            ),
            (
                "l|ll|lll|llll",
                "1/10/2020|Jan 10, 2020|Jan 10, 2020 12:30 AM|Fri, Jan 10, 2020 12:30 AM",
            ),
            ("[YYYY] \\YYYY [a[b] c]", "YYYY YYYY [amb] c"),
            ("\\L", "L"),
            ("YYYY-MM-DDTHH:mm:ss.SSS[Z]", "2020-01-10T00:30:05.678Z"),
            ("é\nYYYY", "é2020"),
            ("", "2020-01-10T00:30:05Z"),
        ];
        for (format, expected) in cases {
            assert_eq!(moment.format(format), expected, "{format}");
        }
    }

    #[test]
    fn backslashes() {
        let moment = moment("2020-01-10T00:30:05.678Z", "UTC");
        for (format, expected) in [
            (r"\[x]H", "[1578616205678]0"),
            (r"\\MM", "01"),
            (r"\q", "q"),
            (r"\MM", "MM"),
            (r"\\", ""),
            (r"a\", "am"),
            (r"\LT", "LT"),
            (r"\é", "é"),
            (r"\[YYYY]", "[2020]"),
            (r"[\M]", r"\M"),
        ] {
            assert_eq!(moment.format(format), expected, "{format}");
        }
    }

    #[test]
    fn zones() {
        for (at, zone, expected) in [
            (
                "2020-01-10T00:30:00Z",
                "Asia/Tokyo",
                "20200110-093000 +09:00 +0900 JST",
            ),
            (
                "2024-07-01T12:00:00Z",
                "America/New_York",
                "20240701-080000 -04:00 -0400 EDT",
            ),
            (
                "2024-07-01T12:00:00Z",
                "Asia/Kolkata",
                "20240701-173000 +05:30 +0530 IST",
            ),
            (
                "2024-01-01T12:00:00Z",
                "America/St_Johns",
                "20240101-083000 -03:30 -0330 NST",
            ),
        ] {
            assert_eq!(
                moment(at, zone).format("YYYYMMDD-HHmmss Z ZZ z"),
                expected,
                "{zone}"
            );
        }
        assert_eq!(
            moment("2020-01-10T00:30:00Z", "Asia/Tokyo").format(""),
            "2020-01-10T09:30:00+09:00"
        );
        assert_eq!(
            moment("2020-01-10T00:30:00Z", "Europe/London").format(""),
            "2020-01-10T00:30:00Z"
        );
    }

    #[test]
    fn weeks_at_the_turn_of_the_year() {
        // Reference values of `moment(…).format('gggg-ww GGGG-WW')`.
        for (at, expected) in [
            ("2019-12-28", "2019-52 2019-52"),
            ("2019-12-29", "2020-01 2019-52"),
            ("2019-12-31", "2020-01 2020-01"),
            ("2020-01-01", "2020-01 2020-01"),
            ("2021-01-01", "2021-01 2020-53"),
            ("2022-12-31", "2022-53 2022-52"),
            ("2023-01-01", "2023-01 2022-52"),
        ] {
            assert_eq!(
                moment(&format!("{at}T12:00:00Z"), "UTC").format("gggg-ww GGGG-WW"),
                expected,
                "{at}"
            );
        }
    }

    #[test]
    fn ordinals() {
        let ordinals: Vec<String> = [1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111].map(ordinal).into();
        assert_eq!(
            ordinals.join(" "),
            "1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 101st 111th"
        );
    }

    proptest! {
        #[test]
        fn no_format_panics(format in any::<String>(), seconds in -62_000_000_000_i64..253_000_000_000) {
            let at = Timestamp::from_second(seconds).unwrap().to_zoned(TimeZone::UTC);
            Moment { at, zone_name: "UTC".to_owned() }.format(&format);
        }

        #[test]
        fn no_run_of_tokens_panics(format in "[A-Za-z\\[\\]\\\\é]{0,30}") {
            let at = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
            Moment { at, zone_name: "UTC".to_owned() }.format(&format);
        }
    }
}
