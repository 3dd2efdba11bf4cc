//! The columns of all targets together: a service may send others for one than for another.

use std::collections::{HashMap, HashSet};

use super::rows::{OWN_COLUMNS, RowColumn};

/// The columns that there are so far, without the own ones, and the names of all.
#[derive(Clone, Debug)]
pub struct AllColumns {
    columns: Vec<RowColumn>,
    names: Vec<String>,
}

impl Default for AllColumns {
    fn default() -> Self {
        Self { columns: Vec::new(), names: column_names(&[]) }
    }
}

/// What becomes of columns with those of another target.
#[derive(Debug)]
pub struct Place {
    /// Those of all.
    pub columns: AllColumns,
    /// Where each column of the target is among them; `None`: it has the same, in their order.
    pub places: Option<Vec<usize>>,
    /// The names of those that came to them.
    pub new: Vec<String>,
    /// Whether any has another type now.
    pub is_changed: bool,
}

impl AllColumns {
    /// The names of all, the own ones first.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What is told of them, without the own ones.
    pub fn columns(&self) -> &[RowColumn] {
        &self.columns
    }

    /// These, with the `columns` of a target.
    pub fn with(&self, columns: &[RowColumn]) -> Place {
        let names = column_names(columns);
        let n_own = OWN_COLUMNS.len();
        let mut all = self.clone();
        let known: HashMap<&str, usize> =
            self.names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let mut places: Vec<usize> = (0..n_own).collect();
        let (mut new, mut is_changed) = (Vec::new(), false);
        for (name, column) in names.into_iter().skip(n_own).zip(columns) {
            if let Some(&at) = known.get(name.as_str()) {
                places.push(at);
                is_changed |= all.columns[at - n_own].take_in(column);
            } else {
                places.push(all.names.len());
                all.columns.push(column.clone());
                all.names.push(name.clone());
                new.push(name);
            }
        }
        let is_same = places.len() == all.names.len() && places.is_sorted();
        Place { columns: all, places: (!is_same).then_some(places), new, is_changed }
    }
}

/// The type that every value can have.
const TEXT: &str = "unicodeChar";

impl RowColumn {
    /// Makes the column one for the values of `other`, too; whether it had to change.
    fn take_in(&mut self, other: &Self) -> bool {
        let before = self.clone();
        if self.datatype != other.datatype {
            (self.datatype, self.arraysize) = (TEXT.to_owned(), "*".to_owned());
        } else if self.arraysize != other.arraysize && self.arraysize != "*" {
            "*".clone_into(&mut self.arraysize);
        }
        self.unit.take_if(|unit| Some(&*unit) != other.unit.as_ref());
        self.ucd.take_if(|ucd| Some(&*ucd) != other.ucd.as_ref());
        *self != before
    }
}

/// The names of all columns of the result, the own ones first, each once: `ra_2` is the
/// second `ra`.
pub fn column_names(columns: &[RowColumn]) -> Vec<String> {
    let mut taken = HashSet::new();
    // Of each name, the number that is tried next.
    let mut next: HashMap<&str, usize> = HashMap::new();
    let mut names = Vec::with_capacity(OWN_COLUMNS.len() + columns.len());
    for name in OWN_COLUMNS.into_iter().chain(columns.iter().map(|column| column.name.as_str())) {
        let number = next.entry(name).or_insert(1);
        let unlike = loop {
            let unlike = if *number == 1 { name.to_owned() } else { format!("{name}_{number}") };
            *number += 1;
            if taken.insert(unlike.clone()) {
                break unlike;
            }
        };
        names.push(unlike);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(names: &[&str]) -> Vec<RowColumn> {
        names
            .iter()
            .map(|name| RowColumn {
                name: (*name).to_owned(),
                datatype: "int".to_owned(),
                ..RowColumn::default()
            })
            .collect()
    }

    #[test]
    fn every_column_has_a_name_of_its_own_however_many_are_alike() {
        let names = column_names(&columns(&["id", "ra", "ra", "ra_2", "ra_2_2"]));
        assert_eq!(names[3..], ["id_2", "ra", "ra_2", "ra_2_2", "ra_2_2_2"]);
        // With as many steps as there are columns, or a few times that.
        let names = column_names(&columns(&["x"; 10_000]));
        assert_eq!(names.last().map(String::as_str), Some("x_10000"));
    }

    #[test]
    fn columns_of_one_target_find_their_places_among_those_of_all() {
        let first = AllColumns::default().with(&columns(&["a", "b"]));
        assert_eq!((first.places, first.new.len()), (None, 2));
        let same = first.columns.with(&columns(&["a", "b"]));
        assert_eq!((same.places, same.new.len(), same.is_changed), (None, 0, false));
        let other = first.columns.with(&columns(&["b", "c", "a"]));
        assert_eq!(other.places, Some(vec![0, 1, 2, 4, 5, 3]));
        assert_eq!(
            (other.new, &other.columns.names()[3..]),
            (vec!["c".to_owned()], &["a", "b", "c"].map(str::to_owned)[..])
        );
        let fewer = first.columns.with(&columns(&["a"]));
        assert_eq!((fewer.places, fewer.new.len()), (Some(vec![0, 1, 2, 3]), 0));
    }

    #[test]
    fn a_column_of_two_types_is_one_of_texts() {
        let mut column = columns(&["a"]).remove(0);
        assert!(!column.take_in(&column.clone()));
        assert!(column.take_in(&RowColumn { datatype: "double".to_owned(), ..column.clone() }));
        assert_eq!((column.datatype.as_str(), column.arraysize.as_str()), ("unicodeChar", "*"));
    }
}
