//! Checks what concerns several options at once.

use super::Builder;
use crate::config::choices::{PartitionMode, Strategy};
use crate::config::ray::Place;
use crate::config::recipe::{OpSpec, user_error};
use crate::config::units::Count;
use crate::error::{UserError, did_you_mean};
use crate::remote::address::is_address;

impl Builder {
    /// Expands `~` in every option that is a path.
    pub(super) fn expand_homes(&mut self, sources: &mut [String], errors: &mut Vec<UserError>) {
        let config = &mut self.config;
        let places = [
            ("work_dir", &mut config.work_dir),
            ("event_log_dir", &mut config.event_log_dir),
            ("checkpoint_dir", &mut config.checkpoint_dir),
            ("partition_dir", &mut config.partition_dir),
        ];
        let binary = ("ray.binary", &mut config.ray.binary);
        let mut paths: Vec<(&str, &mut String)> = places
            .into_iter()
            .chain([binary])
            .filter_map(|(key, path)| Some((key, path.as_mut()?)))
            .collect();
        paths.push(("export_path", &mut config.export_path));
        paths.push(("ray.python", &mut config.ray.python));
        paths.extend(config.plugins.0.iter_mut().map(|path| ("plugins", path)));
        paths.extend(sources.iter_mut().map(|path| ("dataset_path", path)));
        let mut wrong = Vec::new();
        for (key, path) in paths {
            match self.home.expand(path) {
                Ok(expanded) => *path = expanded.into_owned(),
                Err(why) => wrong.push((key, why)),
            }
        }
        errors.extend(
            wrong
                .into_iter()
                .map(|(key, why)| user_error(self.place(key), why)),
        );
    }

    /// Checks for values that are valid alone but not together.
    pub(super) fn check_conflicts(
        &self,
        ops: &[OpSpec],
        place: &Place,
        errors: &mut Vec<UserError>,
        notes: &mut Vec<String>,
    ) {
        let config = &self.config;
        self.check_partition(errors, notes);
        self.check_checkpoint(ops, errors, notes);
        let in_bucket = config.work_dir.as_deref().filter(|dir| is_address(dir));
        if let (Some(dir), 1..) = (in_bucket, config.worker_processes) {
            errors.push(
                UserError::new(
                    self.place("worker_processes"),
                    format!("`{}`: `work_dir` is in a bucket (`{dir}`), which on one machine only one process puts files into", config.worker_processes),
                )
                .hint("set it to 0, or give a `work_dir` on a disk; dataset and `export_path` may be in buckets"),
            );
        }
        if let Place::Cluster(address) = place {
            self.check_cluster(address, errors);
        }
        if config.text_keys.0.len() > 1 {
            notes.push(format!(
                "{}: operators use the first, `{}`",
                self.place("text_keys"),
                config.text_key()
            ));
        }
        if config.skip_op_error.is_some() && config.on_error.is_some() {
            notes.push(format!(
                "{}: is ignored, as `on_error` is given",
                self.place("skip_op_error")
            ));
        }
    }

    /// Checks what workers on the cluster at `address` cannot have.
    fn check_cluster(&self, address: &str, errors: &mut Vec<UserError>) {
        if self.config.worker_processes > 0 {
            errors.push(
                UserError::new(
                    self.place("worker_processes"),
                    format!(
                        "`{}`: the workers are on the Ray cluster `{address}`",
                        self.config.worker_processes
                    ),
                )
                .hint("set it to 0 and choose their number by `ray.workers`, or set `ray_address: local`"),
            );
        }
    }

    fn check_partition(&self, errors: &mut Vec<UserError>, notes: &mut Vec<String>) {
        let partition = &self.config.partition;
        if self.config.partition_mode() == PartitionMode::Manual {
            match (partition.size, partition.num_of_partitions) {
                (Some(size), Some(Count::Exactly(count))) => errors.push(
                    UserError::new(
                        self.place("partition.num_of_partitions"),
                        format!("in manual mode `num_of_partitions` ({count}) and `size` ({size}) exclude each other, and both are given"),
                    )
                    .hint(format!("remove one of them; `size` is given at {}", self.place("partition.size"))),
                ),
                (None, None) => {
                    notes.push(format!("{}: neither `num_of_partitions` nor `size` is given: 4 partitions", self.place("partition.mode")))
                }
                _ => {}
            }
        }
    }

    fn check_checkpoint(
        &self,
        ops: &[OpSpec],
        errors: &mut Vec<UserError>,
        notes: &mut Vec<String>,
    ) {
        let config = &self.config;
        let names = &config.checkpoint.op_names.0;
        match config.strategy() {
            Strategy::Manual if names.is_empty() => errors.push(
                UserError::new(self.place("checkpoint.strategy"), "the strategy `manual` needs `checkpoint.op_names`, which is empty")
                    .hint("name the operators after which a checkpoint is written, or choose another strategy"),
            ),
            Strategy::Manual => {
                for name in names.iter().filter(|name| !ops.iter().any(|op| op.name == **name)) {
                    let error = UserError::new(self.place("checkpoint.op_names"), format!("`{name}` is not in `process`"));
                    let hint = match did_you_mean(name, ops.iter().map(|op| op.name.as_str())) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "name operators as they are written in `process`".to_owned(),
                    };
                    errors.push(error.hint(hint));
                }
            }
            _ if !names.is_empty() => {
                notes.push(format!("{}: is only used by the strategy `manual`", self.place("checkpoint.op_names")));
            }
            _ => {}
        }
    }
}
