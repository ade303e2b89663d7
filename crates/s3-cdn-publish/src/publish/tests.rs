use super::*;
use crate::manifest::Release;
use crate::target::Looks;

#[test]
fn a_release_comes_behind_those_that_were_there_whatever_the_clock_says() {
    let at = |seconds| Timestamp::from_second(seconds).unwrap();
    let release = |seconds| Release {
        id: String::new(),
        at: at(seconds),
        commit: None,
        who: None,
        run: None,
        trace: String::new(),
        replaced: None,
        files: 0,
        bytes: 0,
    };
    // After a rollback the latest is not the current one.
    let header = Header {
        schema: 1,
        release: release(100),
        rolled_back_from: None,
        earlier: vec![release(300), release(200)],
        looks: Looks::default(),
    };
    assert_eq!(after_all(at(400), Some(&header)), at(400));
    assert!(after_all(at(250), Some(&header)) > at(300));
    assert!(after_all(at(300), Some(&header)) > at(300));
    assert_eq!(after_all(at(1), None), at(1));
}
