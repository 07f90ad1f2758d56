use serde::*;
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Shape;
impl Shape {
    pub(super) fn add_rows(&mut self, _: &[u8]) -> anyhow::Result<()> {
        Ok(())
    }
}
