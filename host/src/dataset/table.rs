use super::*;
pub(super) fn assemble(_: &[(std::path::PathBuf, PartInfo)], _: &ExportTarget, _: &mut export::Staged) -> anyhow::Result<Vec<String>> {
    Ok(vec![])
}
