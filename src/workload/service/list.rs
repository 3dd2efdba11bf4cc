//! Services, and lists of them: from arguments, from files, from stdin. Everything is
//! read and checked before anybody is asked.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use super::list_table::{ListTable, read_list};
use crate::http::Url;
use crate::task::SharedText;
use crate::text::{without_login, without_logins};

/// A service to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// What to call it, where the list says so.
    pub name: Option<SharedText>,
    /// Its URL as it was given, without a password.
    pub shown: SharedText,
    /// The same with it, where there is one. A list may be long, and most have none.
    secret: Option<Box<str>>,
}

impl Service {
    /// Checks `url`; `place` is where it stood.
    pub fn new(url: &str, name: Option<String>, place: &str) -> anyhow::Result<Self> {
        let url = url.trim();
        let shown = without_login(url);
        Url::parse(url).map_err(|bad| anyhow::anyhow!("{place}{shown}: {bad}"))?;
        // One that is a URL is hidden in one piece, blanks and all.
        let hide = |name: &str| if name.contains("://") { without_login(name) } else { without_logins(name) };
        let name = name.map(|name| hide(&name).into());
        let secret = (shown != url).then(|| url.into());
        Ok(Self { name, shown: shown.into(), secret })
    }

    /// The URL as it was given.
    pub fn given(&self) -> &str {
        self.secret.as_deref().unwrap_or(&self.shown)
    }

    /// Where it is.
    pub fn url(&self) -> Url {
        Url::parse(self.given()).expect("it was read before")
    }

    /// What a person calls it.
    pub fn label(&self) -> &SharedText {
        self.name.as_ref().unwrap_or(&self.shown)
    }
}

/// The services at `urls`, which may have `names`, and those in the file `list`: a
/// table where it has a `header`, else one a line.
pub fn services(
    urls: &[String],
    names: &[Option<String>],
    list: Option<&Path>,
    header: bool,
) -> anyhow::Result<Vec<Service>> {
    let names = names.iter().cloned().chain(std::iter::repeat(None));
    let mut services = Vec::new();
    for (url, name) in urls.iter().zip(names) {
        services.push(Service::new(url, name, "")?);
    }
    if let Some(path) = list {
        let text = read_list(path, "URLs, one a line")
            .with_context(|| format!("cannot read URLs from {}", path.display()))?;
        let place = format!("{}:", path.display());
        if header {
            rows(&text, &place, &mut services)?;
        } else {
            lines(&text, &place, &mut services)?;
        }
    }
    Ok(services)
}

/// One URL a line; what follows it after blanks is what to call it.
fn lines(text: &str, place: &str, services: &mut Vec<Service>) -> anyhow::Result<()> {
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (url, name) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let name = name.trim();
        let name = (!name.is_empty() && !name.starts_with('#')).then(|| name.to_owned());
        let service = Service::new(url, name, &format!("{place}{number}: "));
        // What follows the blank is no name, but the rest of a login.
        if (service.is_err() || url.ends_with(':')) && !url.contains('@') && without_login(line) != line {
            bail!("{place}{number}: {}: a blank in a URL is written as %20", without_login(line));
        }
        services.push(service?);
    }
    Ok(())
}

/// CSV with a line of column names. No row that says something is left out: a
/// service that is not asked would pass for one that is up.
fn rows(text: &str, place: &str, services: &mut Vec<Service>) -> anyhow::Result<()> {
    let table = ListTable::parse(text, place, b',')?;
    let Some(url) = table.column(&["url", "access_url", "accessurl", "tap_url"]) else {
        bail!("{place}{}: none of its columns is named url", table.head_line);
    };
    let name = table.column(&["name", "short_name", "title", "label"]);
    for (line, row) in &table.rows {
        let cell = |at: usize| row.get(at).unwrap_or("").trim();
        let (url, name) = (cell(url), name.map(cell).filter(|name| !name.is_empty()));
        for (cell, what) in [(url, "URL"), (name.unwrap_or_default(), "name")] {
            // Usually two rows that a quote made one.
            ensure!(!cell.contains('\n'), "{place}{line}: its {what} has a line break in it");
        }
        // Perhaps the columns are not named right, and it is the URL.
        let who = name.map_or_else(|| "a row with something in it".to_owned(), without_login);
        ensure!(!url.is_empty(), "{place}{line}: {who} has no URL");
        services.push(Service::new(url, name.map(str::to_owned), &format!("{place}{line}: "))?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, reader: fn(&str, &str, &mut Vec<Service>) -> anyhow::Result<()>) -> String {
        let mut services = Vec::new();
        match reader(text, "list:", &mut services) {
            Ok(()) => {
                services.iter().map(|service| format!("{} {};", service.label(), service.url())).collect()
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_list_has_a_url_a_line_and_may_have_names_and_comments() {
        let text = "\u{feff}# all of them\n\n http://a/tap \r\nhttps://b/tap  the second # one\n";
        assert_eq!(read(text, lines), "http://a/tap http://a/tap;the second # one https://b/tap;");
        assert_eq!(
            read("http://a/\nb/tap", lines),
            "list:2: b/tap: no scheme: http:// or https:// is missing"
        );
        let told = read("http://u:secret@h:x/", lines);
        assert_eq!(told, "list:1: http://u:***@h:x/: the port is not a number");
        let told = read("http://u:secret word@h/ the name", lines);
        assert_eq!(told, "list:1: http://u:***@h/ the name: a blank in a URL is written as %20");
        let told = read("http://u:\tsecret@h/ the name", lines);
        assert_eq!(told, "list:1: http://u:***@h/ the name: a blank in a URL is written as %20");
        assert_eq!(read("http://a/ me@h", lines), "me@h http://a/;");
    }

    #[test]
    fn a_table_has_its_columns_by_name() {
        let text = "Name, Access URL\n\"GAVO, Heidelberg\",http://a/tap\n# no\n,http://b/\n";
        assert_eq!(read(text, rows), "GAVO, Heidelberg http://a/tap;http://b/ http://b/;");
        assert_eq!(read("name,url\nhttp://u:se cret@h,http://a/\n", rows), "http://u:***@h http://a/;");
        assert_eq!(read("name\nx\n", rows), "list:1: none of its columns is named url");
        assert_eq!(read("url\nx\n", rows), "list:2: x: no scheme: http:// or https:// is missing");
    }

    #[test]
    fn a_row_is_told_by_the_line_on_which_it_begins() {
        assert_eq!(read("url,name\r\n\r\n# no\r\n,x\r\n", rows), "list:4: x has no URL");
        assert_eq!(read("# mine\nname\nx\n", rows), "list:2: none of its columns is named url");
    }

    #[test]
    fn a_quote_is_closed_where_its_cell_ends() {
        let told = read("url,name\nhttp://a/,\"b\nhttp://c/,\"\n", rows);
        assert_eq!(told, "list:2: its name has a line break in it");
        assert_eq!(read("url,of\n,,\nhttp://a/,\"b\nc\"\n", rows), "http://a/ http://a/;");
    }
}
