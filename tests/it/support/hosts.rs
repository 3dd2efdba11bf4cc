//! Other machines that are none: a script stands for ssh. It gives every host a folder as
//! its home, and runs there what it was given, as sshd would.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::{Fresh, Line, Ran};

/// Reads its options as ssh does. A host called dead is down, one called chatty prints at
/// a login, one called mute says nothing at all, one called full has no room for a file as
/// large as this program, one called loud says a lot before it is down. One called liar
/// speaks as a worker that has four thousand million cores. One called bare finds
/// first what is in a folder of that name. To one called cut not much more is passed on than
/// what begins a worker, and of one called deaf the first connection is as a test says.
const SSH: &str = r#"#!/bin/sh
while :; do case $1 in -T) shift;; -o|-p) shift 2;; *) break;; esac; done
host=$1; shift
echo "$host $$" >> "$HOSTS/connections"
case $host in
loud*) i=0; while [ $i -lt 200 ]; do echo "a banner of many lines" >&2; i=$((i+1)); done; echo "no such user" >&2; exit 255;;
liar*) printf 'parsim-%s go\n' "$(echo "$*" | sed 's/.* n=\([0-9a-f]*\);.*/\1/; s/.*n=\([0-9a-f]\{16\}\).*/\1/')"
printf '\126\0\0\0R{"version":"1","host":"x","cores":4000000000,"memory":null,"load":null,"boot_id":null}\0\0\0\0R\005\0\0\0Ftired'; exit;;
esac
case $host in dead*) echo "ssh: connect to host $host port 22: Connection refused" >&2; exit 255;; esac
home=$HOSTS/$host; mkdir -p "$home"; cd "$home" || exit 255
case $host in
chatty*) echo Welcome; printf "no newline ";;
mute*) exec cat >/dev/null;;
full*) ulimit -f 100;;
esac
case $host in bare*|full*) PATH=$HOSTS/bare:$PATH;; esac
case $host in own*) set -- "export PARSIM_SHELL=$HOSTS/ksh; $*";; esac
begin() { exec env -i PATH="$PATH" HOME="$home" SHELL=/bin/sh WHERE="$host" PARSIM_CACHE="$HOSTS/cache" /bin/sh -c "$*"; }
case $host in
cut*) dd bs=1 count=5000 2>/dev/null | begin "$@"; exit;;
deaf*) if mkdir "$HOSTS/connected" 2>/dev/null; then (begin "$@") | python3 "$HOSTS/ear"; exit; fi;;
esac
begin "$@"
"#;

/// A folder with such hosts.
pub(crate) struct Hosts(Fresh);

impl Hosts {
    pub(crate) fn new() -> Self {
        let fresh = Fresh::new();
        fs::create_dir_all(fresh.path("hosts")).unwrap();
        fs::create_dir_all(fresh.path("bin")).unwrap();
        fs::write(fresh.path("bin/ssh"), SSH).unwrap();
        fs::set_permissions(fresh.path("bin/ssh"), fs::Permissions::from_mode(0o755)).unwrap();
        Self(fresh)
    }

    /// The same beside these hosts.
    pub(crate) fn shell(&self, script: &str) -> Line {
        let script = format!("PATH=$PWD/bin:$PATH; {script}");
        self.0.shell(&script).env("HOSTS", self.0.path("hosts"))
    }

    pub(crate) fn run(&self, script: &str) -> Ran {
        self.shell(script).run()
    }

    /// What is in the home of a host.
    pub(crate) fn home(&self, host: &str) -> Vec<String> {
        self.names(&format!("hosts/{host}"))
    }

    /// What is in a folder.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        self.0.names(folder)
    }

    /// A path in the folder of all of them.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    /// How often somebody connected.
    pub(crate) fn connections(&self) -> usize {
        fs::read_to_string(self.path("hosts/connections")).unwrap_or_default().lines().count()
    }
}
