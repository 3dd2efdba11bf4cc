//! Four TAP services inside parsim, which answer everything that a check can ask for.

use std::time::Duration;

use crate::workload::service::{DemoServer, Service};

/// Name, wait and start of each service.
const SERVICES: [(&str, u64, &str); 4] = [
    ("near", 100, "2025-11-03T08:15:00Z"),
    ("next", 200, "2025-06-21T10:00:00Z"),
    ("far", 300, "2024-12-24T18:30:00Z"),
    ("farthest", 400, "2023-03-14T15:09:26Z"),
];

/// Starts them.
pub(super) fn start() -> anyhow::Result<(Vec<DemoServer>, Vec<Service>)> {
    let mut servers = Vec::new();
    let mut services = Vec::new();
    for (name, wait, since) in SERVICES {
        let server = DemoServer::start(Duration::from_millis(wait), move |asked| document(asked, since))?;
        let url = format!("{}/tap", server.url());
        services.push(Service::new(&url, Some(format!("{name} ({wait} ms)")), "")?);
        servers.push(server);
    }
    Ok((servers, services))
}

fn document(asked: &str, since: &str) -> Option<String> {
    match asked.split('?').next()? {
        "/tap/availability" => Some(availability(since)),
        "/tap/sync" => Some(ROW.to_owned()),
        "/tap/capabilities" => Some(CAPABILITIES.to_owned()),
        "/tap/tables" => Some(TABLES.to_owned()),
        _ => None,
    }
}

fn availability(since: &str) -> String {
    format!(
        "<availability xmlns=\"http://www.ivoa.net/xml/VOSIAvailability/v1.0\"><available>true</available><upSince>{since}</upSince></availability>"
    )
}

const ROW: &str = "<VOTABLE version=\"1.4\" xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\"><RESOURCE type=\"results\"><INFO name=\"QUERY_STATUS\" value=\"OK\"/><TABLE><FIELD name=\"table_name\" datatype=\"char\" arraysize=\"*\"/><DATA><TABLEDATA><TR><TD>tap_schema.tables</TD></TR></TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>";

const CAPABILITIES: &str = "<c:capabilities xmlns:c=\"http://www.ivoa.net/xml/VOSICapabilities/v1.0\"><capability standardID=\"ivo://ivoa.net/std/TAP\"><interface><accessURL use=\"base\">/tap</accessURL></interface></capability></c:capabilities>";

const TABLES: &str = "<t:tableset xmlns:t=\"http://www.ivoa.net/xml/VOSITables/v1.0\"><schema><name>tap_schema</name><table><name>tap_schema.tables</name></table></schema></t:tableset>";
