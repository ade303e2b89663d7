use super::*;

fn look(number: usize) -> Look {
    Look {
        headers: Arc::new(Headers {
            content_type: number.to_string(),
            ..Headers::default()
        }),
        phase: Phase::Pages,
        immutable: false,
    }
}

#[test]
fn equal_looks_have_one_number() {
    let mut looks = Looks::default();
    assert_eq!(looks.number(look(1)), Ok(0));
    assert_eq!(looks.number(look(2)), Ok(1));
    assert_eq!(looks.number(look(1)), Ok(0));
    let later = Look {
        phase: Phase::Index,
        ..look(1)
    };
    assert_eq!(looks.number(later), Ok(2));
    let for_good = Look {
        immutable: true,
        ..look(1)
    };
    assert_eq!(looks.number(for_good), Ok(3));
    assert_eq!((looks.len(), looks.is_empty()), (4, false));
    // The digest is that of the headers alone: another phase is no reason to write an object.
    let digests = looks.digests();
    assert_eq!((digests[0], digests[0]), (digests[2], digests[3]));
    assert_eq!(looks.get(4), None);
}
