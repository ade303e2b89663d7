//! The stand-ins of AWS before botocore.

use sandbox::peers::{Botocore, Place};
use sandbox::stand_ins::aws::{Clock, Cloud};
use serde_json::Value;

/// botocore before a cloud whose clock a test moves.
pub(crate) struct Court {
    pub(crate) cloud: Cloud,
    pub(crate) botocore: Botocore,
    _place: Place,
}

impl Court {
    pub(crate) fn open() -> Self {
        let (cloud, place) = (Cloud::open(Clock::manual()).unwrap(), Place::new().unwrap());
        let botocore = Botocore::start(&place, cloud.environment()).unwrap();
        Self {
            cloud,
            botocore,
            _place: place,
        }
    }

    /// The output of a call whose answer is as the model has it.
    pub(crate) fn ask(&self, service: &str, operation: &str, input: Value) -> Value {
        let judged = self.botocore.call(service, operation, &input).unwrap();
        assert_eq!((judged.faults, judged.code), (vec![], None), "{operation}");
        judged.output
    }

    /// The code of a call that is refused as the model has it.
    pub(crate) fn refused(&self, service: &str, operation: &str, input: Value) -> String {
        let judged = self.botocore.call(service, operation, &input).unwrap();
        assert_eq!(judged.faults, [""; 0], "{operation}");
        judged.code.unwrap()
    }

    /// The text at a place of an output.
    pub(crate) fn made(&self, service: &str, operation: &str, input: Value, at: &str) -> String {
        let output = self.ask(service, operation, input);
        output.pointer(at).and_then(Value::as_str).unwrap().to_owned()
    }
}
