//! What a workload was to do, as an object of JSON: its options, and its lists, which may
//! be as long as the batch.

use std::collections::BTreeMap;
use std::ops::Index;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::task::SharedText;

/// The parameters of a workload.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    options: Value,
    /// By the option's name: what stands in memory elsewhere, too, which as a value of JSON
    /// would be there twice. There are none in a study that was read.
    lists: BTreeMap<&'static str, Vec<Option<SharedText>>>,
}

impl Parameters {
    /// The same, where the option `name` is this list.
    #[must_use]
    pub fn with_list(mut self, name: &'static str, list: Vec<Option<SharedText>>) -> Self {
        self.lists.insert(name, list);
        self
    }

    /// All of it as a value.
    #[must_use]
    pub fn value(&self) -> Value {
        serde_json::json!(self)
    }
}

impl From<Value> for Parameters {
    fn from(options: Value) -> Self {
        Self { options, lists: BTreeMap::new() }
    }
}

/// An option by its name; null where there is none, and of a list.
impl Index<&str> for Parameters {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        &self.options[name]
    }
}

impl PartialEq for Parameters {
    fn eq(&self, other: &Self) -> bool {
        self.value() == other.value()
    }
}

impl Serialize for Parameters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(untagged)]
        enum Parameter<'a> {
            Option(&'a Value),
            List(&'a [Option<SharedText>]),
        }
        let Some(options) = self.options.as_object().filter(|_| !self.lists.is_empty()) else {
            return self.options.serialize(serializer);
        };
        let options = options.iter().map(|(name, value)| (name.as_str(), Parameter::Option(value)));
        let lists = self.lists.iter().map(|(name, list)| (*name, Parameter::List(list)));
        let all: BTreeMap<_, _> = options.chain(lists).collect();
        all.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_stand_among_the_options_as_if_they_were_values() {
        let names = vec![Some("a".into()), None];
        let parameters = Parameters::from(json!({"a": 1, "names": [], "z": null})).with_list("names", names);
        let text = r#"{"a":1,"names":["a",null],"z":null}"#;
        assert_eq!(serde_json::to_string(&parameters).unwrap(), text);
        let read: Parameters = serde_json::from_str(text).unwrap();
        assert_eq!(read, parameters);
        assert_ne!(read, Parameters::default());
        assert_eq!((&parameters["a"], &parameters["b"]), (&json!(1), &Value::Null));
    }
}
