use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::headers::Headers;
use crate::manifest::{Manifest, Release};
use crate::phase::Phase;
use crate::target::{Look, Looks};

fn header(looks: u16) -> Header {
    let mut all = Looks::default();
    for number in 0..looks {
        let headers = Headers {
            content_type: format!("x/{number}"),
            ..Headers::default()
        };
        let look = Look {
            headers: Arc::new(headers),
            phase: Phase::Others,
            immutable: false,
        };
        all.number(look).unwrap();
    }
    Header {
        schema: SCHEMA,
        release: Release {
            id: "R".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            commit: Some("\"\u{2028}\n".to_owned()),
            who: None,
            run: None,
            trace: String::new(),
            replaced: Some(Timestamp::UNIX_EPOCH),
            files: u64::MAX,
            bytes: 0,
        },
        rolled_back_from: None,
        earlier: Vec::new(),
        looks: all,
    }
}

fn written(header: &Header, rows: &[Row]) -> Vec<u8> {
    let mut writer = Writer::new(header).unwrap();
    for row in rows {
        writer.row(row).unwrap();
    }
    writer.finish().unwrap()
}

fn packed(plain: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(plain).unwrap();
    out.finish().unwrap()
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let retired = (any::<String>(), 0..i64::from(u32::MAX)).prop_map(|(last, second)| Retired {
        last,
        at: Timestamp::from_second(second).unwrap(),
    });
    let etag = prop_oneof![
        any::<[u8; 16]>().prop_map(Etag::Digest),
        "[!-~]{0,40}".prop_map(|said| Etag::new(&said))
    ];
    let columns = (
        any::<Option<[u8; 32]>>(),
        any::<u64>(),
        0..3_u16,
        etag,
        prop::option::of(retired),
    );
    // Keys as S3 takes them: anything, line ends, quotes and what only looks like UTF-16 among it.
    let key = prop_oneof![any::<String>(), "[\"\\\\\n\r\t\u{0}\u{7f}\u{fffd}/é]{1,30}"];
    prop::collection::btree_map(key, columns, 0..10).prop_map(|rows| {
        let row = |(key, (sha256, size, look, etag, retired)): (String, (_, _, _, _, _))| Row {
            key: key.into(),
            sha256,
            size,
            look,
            etag,
            retired,
        };
        rows.into_iter().map(row).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_written_is_read(rows in rows()) {
        let header = header(3);
        let bytes = written(&header, &rows);
        let manifest = Manifest::read(&bytes).unwrap();
        prop_assert_eq!(&manifest.header, &header);
        prop_assert_eq!(&manifest.rows, &rows);
        // What can be brought about again is what is sure and in the release.
        let target = manifest.target();
        let live = rows.iter().filter(|row| row.retired.is_none() && row.sha256.is_some());
        prop_assert!(target.items.iter().map(|item| &item.key).eq(live.map(|row| &row.key)));
        prop_assert!(target.items.is_sorted_by_key(|item| &item.key));
        // Cut anywhere, it is damaged: never a smaller site.
        for end in [0, 1, bytes.len() / 2, bytes.len() - 9, bytes.len() - 1] {
            prop_assert!(Manifest::read(&bytes[..end]).is_err(), "{end} of {}", bytes.len());
        }
    }

    #[test]
    fn no_bytes_panic_and_what_is_garbled_is_never_taken(rows in rows(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let bytes = written(&header(3), &rows);
        let mut garbled = bytes.clone();
        garbled[at.index(bytes.len())] ^= 1_u8 << bit;
        // Only what the compression says of itself, such as its time, may differ unseen.
        if let Ok(manifest) = Manifest::read(&garbled) {
            prop_assert_eq!(manifest.rows, rows);
        }
    }

    #[test]
    fn no_text_panics(plain in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Manifest::read(&plain).is_err() || plain.len() > 20);
        let _ = Manifest::read(&packed(&plain));
    }
}

#[test]
fn what_is_no_manifest_is_damaged() {
    let first = serde_json::to_string(&header(1)).unwrap();
    let row = r#"["b","",0,0,"x",null]"#;
    let after = |rows: &str| format!("{first}\n{rows}");
    for (plain, why) in [
        (String::new(), "EOF"),
        ("\n".to_owned(), "EOF"),
        (first.clone(), "cut off"),
        (after(r#"["b","",0,1,"x",null]"#) + "\n", "no headers"),
        (after(&format!("{row}\n{row}\n")), "not in order"),
        (
            after(&format!("{row}\n[\"a\",\"\",0,0,\"x\",null]\n")),
            "not in order",
        ),
        (after("[\"b\",\"0\",0,0,\"x\",null]\n"), "checksum"),
        (after("[\"b\",\"\",-1,0,\"x\",null]\n"), "invalid value"),
        (after("\n"), "EOF"),
        (
            after(&format!("[\"{}\",\"\",0,0,\"x\",null]\n", "k".repeat(20_000))),
            "too long",
        ),
        (
            format!("{}\n", first.replacen("\"schema\":1", "\"schema\":2", 1)),
            "schema 2",
        ),
    ] {
        let said = Manifest::read(&packed(plain.as_bytes())).unwrap_err().to_string();
        assert!(said.contains(why), "{why}: {said}");
    }
}

/// A few kilobytes that unpack to gigabytes are refused after a few lines, in the memory of one.
#[test]
fn a_bomb_is_refused_at_its_first_line_that_is_too_long() {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(&serde_json::to_vec(&header(1)).unwrap()).unwrap();
    out.write_all(b"\n").unwrap();
    std::io::copy(&mut std::io::repeat(b'[').take(1 << 28), &mut out).unwrap();
    let bytes = out.finish().unwrap();
    let mut reader = Reader::new(&bytes).unwrap();
    assert!(reader.next().unwrap().is_err());
    assert!(reader.line.capacity() < 1 << 20, "{}", reader.line.capacity());
}
