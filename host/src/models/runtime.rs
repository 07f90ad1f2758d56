//! ONNX Runtime, if the user has its library: then it computes networks, in place of djhost.

use std::path::Path;

use djhost_inference::onnx::Runtime;

use crate::error::UserError;

/// The variable that names the library, as other programs have it. There is no option for it: a recipe
/// that comes from elsewhere must not load machine code.
const VARIABLE: &str = "ORT_DYLIB_PATH";

/// The runtime that the environment names; None if it names none.
pub(crate) fn runtime() -> Result<Option<&'static Runtime>, UserError> {
    let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) else {
        return Ok(None);
    };
    let path = Path::new(&path);
    Runtime::load(path).map(Some).map_err(|wrong| {
        UserError::new(VARIABLE, format!("`{}`: {wrong}", path.display())).hint(
            "name `libonnxruntime.so` of ONNX Runtime, or unset the variable: djhost computes networks itself then",
        )
    })
}
