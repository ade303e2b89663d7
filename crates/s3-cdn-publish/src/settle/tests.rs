use proptest::prelude::*;

use super::*;

fn headers(kind: u8) -> Headers {
    Headers {
        content_type: format!("text/{}", kind % 2),
        encryption: match kind / 2 {
            0 => None,
            1 => Some(Encryption::Aes256),
            2 => Some(Encryption::Kms { key: None }),
            _ => Some(Encryption::KmsDsse { key: None }),
        },
        ..Headers::default()
    }
}

fn etags() -> impl Strategy<Value = Etag> {
    prop_oneof![
        (0..3_u8).prop_map(|byte| Etag::Digest([byte; 16])),
        (0..3_u8).prop_map(|parts| Etag::Other(format!("x-{parts}").into())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// The content is never called right without a proof, and headers are never called right that are not.
    #[test]
    fn nothing_is_adopted_without_proof(
        (sha, there_sha) in (0..3_u8, prop::option::of(0..3_u8)),
        (md5, known) in (prop::option::of(0..3_u8), prop::option::of(etags())),
        etag in etags(),
        (size, there_size) in (0..2_u64, 0..2_u64),
        (wanted, found) in (0..2_u8, 0..8_u8),
    ) {
        let wanted = headers(wanted);
        let want = Want {
            sha256: [sha; 32],
            md5: md5.map(|byte| [byte; 16]),
            etag: known.as_ref(),
            size,
            headers: &wanted,
        };
        let head = Head {
            etag: etag.clone(),
            size: there_size,
            sha256: there_sha.map(|byte| [byte; 32]),
            headers: headers(found),
        };
        let by_checksum = there_sha == Some(sha);
        let by_record = there_sha.is_none() && known.as_ref() == Some(&etag);
        let is_plain = found / 2 < 2;
        let by_md5 = there_sha.is_none() && is_plain && md5.is_some_and(|byte| etag == Etag::Digest([byte; 16]));
        let is_proven = size == there_size && (by_checksum || by_record || by_md5);
        let step = settle(&want, &head);
        prop_assert_eq!(step != Step::Replace, is_proven);
        if is_proven {
            prop_assert_eq!(step == Step::Adopt, wanted.serves_as(&head.headers));
        }
        if needs_md5(&head, size) {
            prop_assert!(is_plain && there_sha.is_none());
        }
    }
}

#[test]
fn an_etag_of_kms_is_no_md5() {
    let wanted = headers(4);
    let want = Want {
        sha256: [1; 32],
        md5: Some([2; 16]),
        etag: None,
        size: 1,
        headers: &wanted,
    };
    let head = |kind| Head {
        etag: Etag::Digest([2; 16]),
        size: 1,
        sha256: None,
        headers: headers(kind),
    };
    assert_eq!(settle(&want, &head(4)), Step::Replace);
    assert!(!needs_md5(&head(4), 1));
    assert_eq!(settle(&want, &head(2)), Step::Headers);
    assert!(needs_md5(&head(2), 1) && !needs_md5(&head(2), 2));
}
