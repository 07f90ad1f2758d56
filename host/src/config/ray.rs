//! Where partitions are worked on: by this machine, or by a Ray cluster. `executor_type` and
//! `ray_address` say so, as in Data-Juicer's recipes, and Ray's own variable and file for `auto`.

use std::ffi::OsString;
use std::path::PathBuf;

use super::choices::ExecutorType;
use super::options::Config;

/// Who works on partitions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Place {
    /// Threads or processes of this machine.
    #[default]
    Here,
    /// Workers on the cluster with this address (`HOST:6379`). This machine is a node of it.
    Cluster(String),
    /// The whole job runs on a cluster. It is submitted to this address (`http://HOST:8265`).
    Submit {
        /// Without a slash at its end.
        url: String,
        /// It was guessed from this address of Ray's client.
        client: Option<String>,
    },
}

/// Where partitions are worked on, and why there if the recipe does not name the place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Who works on them.
    pub place: Place,
    /// What the choice follows from: half a sentence; None: the recipe names the place, or has
    /// nothing of Ray.
    pub why: Option<String>,
}

/// An address that cannot be used: what is wrong with it, and what to do.
pub(super) type Unusable = (String, &'static str);

/// The port of Ray's dashboard, which takes jobs.
const DASHBOARD: u16 = 8265;

/// Chooses the place by the recipe and the environment of this process.
pub(super) fn choose(config: &Config, env: &[(OsString, OsString)]) -> Result<Chosen, Unusable> {
    let address = config.ray_address.trim();
    let is_open = matches!(address, "" | "auto");
    if config.executor_type == ExecutorType::Default {
        return match is_open || address == "local" {
            true => Ok(Chosen::default()),
            false => Err((
                format!(
                    "`{address}`: the executor is the default one, which works on this machine"
                ),
                "set `executor_type: ray_partitioned` to work on this cluster, or remove the address",
            )),
        };
    }
    if !is_open {
        let place = parse(address).map_err(|why| (format!("`{address}`: {why}"), FORMS))?;
        return Ok(Chosen { place, why: None });
    }
    let get = |name: &str| {
        let (_, value) = env.iter().find(|(key, _)| key == name)?;
        value.to_str().filter(|value| !value.is_empty())
    };
    let file = cluster_file(&get);
    match get("RAY_ADDRESS").filter(|given| *given != "auto") {
        Some(given) => {
            let place =
                parse(given).map_err(|why| (format!("$RAY_ADDRESS `{given}`: {why}"), FORMS))?;
            let why = Some(format!("$RAY_ADDRESS is `{given}`"));
            Ok(Chosen { place, why })
        }
        None => match std::fs::read_to_string(&file) {
            Ok(found) => {
                let found = found.trim();
                let place = parse(found)
                    .map_err(|why| (format!("`{}` has `{found}`: {why}", file.display()), FORMS))?;
                let why = Some(format!("`{}` names it", file.display()));
                Ok(Chosen { place, why })
            }
            Err(_) => Ok(Chosen {
                place: Place::Here,
                why: Some(format!(
                    "neither $RAY_ADDRESS nor `{}` names a cluster",
                    file.display()
                )),
            }),
        },
    }
}

/// What to do about an address that has none of the forms.
const FORMS: &str = "valid: `auto`, `local`, `HOST:6379` on a node of the cluster, or `http://HOST:8265` from elsewhere";

/// The file in which `ray start` leaves the address of the cluster that this machine belongs to.
fn cluster_file<'e>(get: &impl Fn(&str) -> Option<&'e str>) -> PathBuf {
    let root = get("RAY_TMPDIR")
        .or_else(|| get("TMPDIR"))
        .unwrap_or("/tmp");
    PathBuf::from(root).join("ray").join("ray_current_cluster")
}

/// The place of an address. `Err` says why it has none.
fn parse(address: &str) -> Result<Place, &'static str> {
    if address == "local" {
        return Ok(Place::Here);
    }
    if let Some(rest) = address.strip_prefix("ray://") {
        let host = rest.trim_end_matches('/');
        let host = host_and_port(host).map_or(host, |(host, _)| host);
        check_host(host)?;
        return Ok(Place::Submit {
            url: format!("http://{host}:{DASHBOARD}"),
            client: Some(address.to_owned()),
        });
    }
    for scheme in ["http://", "https://"] {
        if let Some(rest) = address.strip_prefix(scheme) {
            let host = rest.split('/').next().unwrap_or_default();
            check_host(host_and_port(host).map_or(host, |(host, _)| host))?;
            return Ok(Place::Submit {
                url: address.trim_end_matches('/').to_owned(),
                client: None,
            });
        }
    }
    if address.contains("://") {
        return Err("Ray has no such kind of address");
    }
    let (host, _) = host_and_port(address).ok_or("it has no port")?;
    check_host(host)?;
    Ok(Place::Cluster(address.to_owned()))
}

fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    Some((host, port.parse().ok()?))
}

/// A name or an address of IP, where six groups stand in brackets.
fn check_host(host: &str) -> Result<(), &'static str> {
    let valid = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    match !host.is_empty() && host.chars().all(valid) {
        true => Ok(()),
        false => Err("it has no name of a machine"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(
        executor: ExecutorType,
        address: &str,
        env: &[(&str, &str)],
    ) -> Result<Chosen, Unusable> {
        let config = Config {
            executor_type: executor,
            ray_address: address.to_owned(),
            ..Config::default()
        };
        let env: Vec<_> = env.iter().map(|(k, v)| (k.into(), v.into())).collect();
        choose(&config, &env)
    }

    #[test]
    fn addresses_have_places() {
        let submit = |url: &str| Place::Submit {
            url: url.to_owned(),
            client: None,
        };
        for (address, place) in [
            ("local", Place::Here),
            ("10.0.0.1:6379", Place::Cluster("10.0.0.1:6379".into())),
            ("[::1]:6379", Place::Cluster("[::1]:6379".into())),
            ("http://head:8265", submit("http://head:8265")),
            (
                "https://gate.example/ray/",
                submit("https://gate.example/ray"),
            ),
        ] {
            let found = chosen(ExecutorType::RayPartitioned, address, &[]).unwrap();
            assert_eq!((found.place, found.why), (place, None), "{address}");
        }
        let client = chosen(ExecutorType::Ray, "ray://head:10001", &[]).unwrap();
        let Place::Submit { url, client } = client.place else {
            panic!("{client:?}")
        };
        assert_eq!(url, "http://head:8265");
        assert_eq!(client.as_deref(), Some("ray://head:10001"));
        for address in [
            "head",
            "head:port",
            ":6379",
            "tcp://head:1",
            "a b:6379",
            "http://",
        ] {
            assert!(
                chosen(ExecutorType::Ray, address, &[]).is_err(),
                "{address}"
            );
        }
    }

    #[test]
    fn the_environment_decides_what_is_left_open() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().to_str().unwrap();
        let env = [("RAY_TMPDIR", root)];
        let found = chosen(ExecutorType::Ray, "auto", &env).unwrap();
        assert_eq!(found.place, Place::Here);
        assert!(found.why.unwrap().contains("ray_current_cluster"));
        std::fs::create_dir(dir.path().join("ray")).unwrap();
        std::fs::write(dir.path().join("ray/ray_current_cluster"), "h:6379\n").unwrap();
        let found = chosen(ExecutorType::Ray, "auto", &env).unwrap();
        assert_eq!(found.place, Place::Cluster("h:6379".into()));
        let env = [("RAY_TMPDIR", root), ("RAY_ADDRESS", "other:6379")];
        let found = chosen(ExecutorType::Ray, "", &env).unwrap();
        assert_eq!(found.place, Place::Cluster("other:6379".into()));
        assert!(found.why.unwrap().contains("$RAY_ADDRESS"));
        let found = chosen(ExecutorType::Default, "auto", &env).unwrap();
        assert_eq!(found, Chosen::default());
        assert!(chosen(ExecutorType::Default, "h:6379", &env).is_err());
    }
}
