use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn what_is_written_is_read(
        written in prop::collection::btree_map(any::<String>(), any::<u64>(), 0..8),
        touched in prop::collection::vec(any::<String>(), 0..8),
    ) {
        let intent = Intent::new(
            &Left::default(),
            written.iter().map(|(key, size)| (key.as_str(), *size)),
            touched.iter().map(String::as_str),
        );
        let bytes = intent.bytes().unwrap();
        prop_assert_eq!(&Intent::read(&bytes).unwrap(), &intent);
        let left = intent.left();
        for (key, size) in &written {
            prop_assert!(left.may_have_written(key, *size));
            prop_assert!(!left.may_have_written(key, size.wrapping_add(1)));
        }
        prop_assert_eq!(left.is_empty(), written.is_empty() && touched.is_empty());
        // What is cut off is never read as less than it was.
        for end in 0..bytes.len() {
            prop_assert!(Intent::read(&bytes[..end]).is_err());
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Intent::read(&bytes);
    }
}

#[test]
fn what_a_run_before_left_is_kept_with_its_sizes() {
    let first = Intent::new(&Left::default(), [("a", 1)], ["t"]).left();
    let second = Intent::new(&first, [("a", 2), ("b", 3)], ["u"]).left();
    for (key, size) in [("a", 1), ("a", 2), ("b", 3)] {
        assert!(second.may_have_written(key, size));
    }
    assert_eq!(second.touched.len(), 2);
}

#[test]
fn a_newer_one_and_one_that_unpacks_to_too_much_are_refused() {
    let gz = |bytes: &mut dyn std::io::Read| {
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        std::io::copy(bytes, &mut out).unwrap();
        out.finish().unwrap()
    };
    let newer = br#"{"schema":2,"written":{},"touched":[]}"#;
    let why = Intent::read(&gz(&mut newer.as_slice())).unwrap_err().to_string();
    assert!(why.contains("schema 2"), "{why}");
    let mut bomb = std::io::Read::take(std::io::repeat(b' '), LARGEST + 1);
    assert!(Intent::read(&gz(&mut bomb)).is_err());
}
