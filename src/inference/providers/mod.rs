//! Which of ONNX Runtime's providers run a network: what was asked for, and what came of it.
//!
//! ONNX Runtime by itself says nothing when a provider cannot be had, or takes a part of a network only, and runs the rest
//! on the CPU. Here a provider that is required runs the network, or there is no model.

mod append;
mod nvidia;
mod options;
mod placement;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ort::session::Session;
use ort::session::builder::SessionBuilder;
use serde::Serialize;

use crate::error::{Error, Result, Status};
use crate::log::{self, Level};
use append::Route;
use options::Settings;
pub(crate) use placement::REMEMBER;
use placement::{Device, Placement};

/// What happens if a provider cannot run the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// There is no model: the load fails and says why.
    #[default]
    Required,
    /// The others that are named run it, in the end the CPU; [`Model::describe`](crate::Model::describe) says so.
    Preferred,
}

/// One of ONNX Runtime's providers, which a model is to run on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Provider {
    /// `cpu`, `cuda`, `tensorrt`, … (docs/providers.md has the list), or the path of a plug-in provider's library, which is
    /// code that this process will run.
    pub name: String,
    /// What happens if it cannot run the network.
    pub need: Need,
    /// Its options, a JSON object; empty: the defaults.
    pub options: String,
}

impl Provider {
    /// A provider without which there is no model.
    pub fn required(name: impl Into<String>) -> Self {
        Self { name: name.into(), need: Need::Required, options: String::new() }
    }

    /// A provider that is taken where it can be had.
    pub fn preferred(name: impl Into<String>) -> Self {
        Self { need: Need::Preferred, ..Self::required(name) }
    }

    /// With options, a JSON object.
    pub fn with_options(mut self, json: impl Into<String>) -> Self {
        self.options = json.into();
        self
    }
}

/// How exactly a provider computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Precision {
    /// On the CPU, where the manifest's tolerances were found.
    #[default]
    Manifest,
    /// 24 bits, summed in another order.
    Full,
    /// 11 bits go into a product.
    Tf32,
    /// 11 bits or fewer, or nobody says.
    Half,
}

impl Precision {
    /// For an error that names the tolerance.
    pub fn remark(self) -> &'static str {
        match self {
            Self::Manifest => "",
            Self::Full => " (in 32 bits, on another provider than the CPU)",
            Self::Tf32 => " (in TF32)",
            Self::Half => " (in 16 bits, or a provider that does not say)",
        }
    }

    /// How far a score may be from a golden case's, where the case itself does not allow more.
    pub fn tolerance(self) -> f64 {
        match self {
            Self::Manifest => 0.0,
            Self::Full => 1e-3,
            Self::Tf32 => 5e-3,
            Self::Half => 2e-2,
        }
    }
}

/// A provider as it is known by name.
struct Known {
    name: &'static str,
    /// What ONNX Runtime calls it.
    official: &'static str,
    route: Route,
    settings: fn(&str) -> Result<Settings>,
    /// What to do where it is missing.
    advice: &'static str,
}

const CPU: &str = "CPUExecutionProvider";

const KNOWN: [Known; 11] = [
    Known {
        name: "cpu",
        official: CPU,
        route: Route::Cpu,
        settings: options::cpu,
        advice: "every ONNX Runtime has it",
    },
    Known {
        name: "cuda",
        official: "CUDAExecutionProvider",
        route: Route::Cuda,
        settings: options::cuda,
        advice: "it needs NVIDIA's driver, a build of ONNX Runtime with CUDA (the package onnxruntime-gpu; 1.27 and newer \
                 for CUDA 13, older ones for CUDA 12), and the libraries of CUDA and cuDNN 9 beside ONNX Runtime's, in the \
                 folder that its option \"libraries\" names, or where the system finds them",
    },
    Known {
        name: "tensorrt",
        official: "TensorrtExecutionProvider",
        route: Route::TensorRt,
        settings: options::tensorrt,
        advice: "it needs what cuda needs, and the libraries of TensorRT 10 (libnvinfer and libnvonnxparser) in the same \
                 place",
    },
    Known {
        name: "tensorrt_rtx",
        official: "NvTensorRTRTXExecutionProvider",
        route: Route::Named(c"NvTensorRtRtx"),
        settings: options::tensorrt_rtx,
        advice: "it is in few builds of ONNX Runtime; the package onnxruntime-ep-nv-tensorrt-rtx-cu13 has it as a plug-in, \
                 to be named by the path of its library",
    },
    Known {
        name: "coreml",
        official: "CoreMLExecutionProvider",
        route: Route::Named(c"CoreML"),
        settings: options::coreml,
        advice: "builds of ONNX Runtime for macOS and iOS have it",
    },
    Known {
        name: "xnnpack",
        official: "XnnpackExecutionProvider",
        route: Route::Named(c"XNNPACK"),
        settings: options::xnnpack,
        advice: "builds of ONNX Runtime for Android and iOS have it",
    },
    Known {
        name: "nnapi",
        official: "NnapiExecutionProvider",
        route: Route::Nnapi,
        settings: options::nnapi,
        advice: "builds of ONNX Runtime for Android have it",
    },
    Known {
        name: "directml",
        official: "DmlExecutionProvider",
        route: Route::Named(c"DML"),
        settings: options::directml,
        advice: "the package onnxruntime-directml has it, for Windows",
    },
    Known {
        name: "qnn",
        official: "QNNExecutionProvider",
        route: Route::Named(c"QNN"),
        settings: options::qnn,
        advice: "the package onnxruntime-qnn has it as a plug-in, to be named by the path of its library",
    },
    Known {
        name: "openvino",
        official: "OpenVINOExecutionProvider",
        route: Route::Named(c"OpenVINO"),
        settings: options::openvino,
        advice: "the package onnxruntime-openvino is built with it; onnxruntime-ep-openvino has it as a plug-in for Intel's \
                 devices, to be named by the path of its library",
    },
    Known {
        name: "webgpu",
        official: "WebGpuExecutionProvider",
        route: Route::Named(c"WebGPU"),
        settings: options::webgpu,
        advice: "the package onnxruntime-ep-webgpu has it as a plug-in, to be named by the path of its library, which \
                 needs a graphics driver (on Linux Vulkan)",
    },
];

/// What a plug-in's library needs.
const PLUGIN_ADVICE: &str = "a plug-in may be loaded and still have no device here: it needs the hardware that it is made \
                             for, and that hardware's driver";

/// A provider that was asked for, as far as it has come.
#[derive(Debug)]
struct Asked {
    given: Provider,
    route: Route,
    /// What ONNX Runtime calls it; of a plug-in, once its library is loaded.
    official: String,
    settings: Settings,
    advice: &'static str,
    /// Why it was left out.
    missing: Option<String>,
    /// Files in the cache's folder before the load.
    cached_files: usize,
}

/// The providers that a model is to run on, in the order in which ONNX Runtime is to ask them.
#[derive(Debug)]
pub(crate) struct Providers {
    asked: Vec<Asked>,
    placement: Placement,
    /// How long ONNX Runtime took to make the network ready, seconds.
    seconds: f64,
}

/// What one provider does for a model.
#[derive(Debug, Serialize)]
pub(crate) struct Record<'a> {
    /// As it was asked for.
    name: &'a str,
    provider: &'a str,
    need: Option<Need>,
    options: Option<serde_json::Value>,
    used: bool,
    /// Why it is not used.
    reason: Option<&'a str>,
    precision: Precision,
    node_count: usize,
    /// Operator and name of each.
    nodes: &'a [String],
    devices: Vec<Device>,
    /// Versions of the driver and of the libraries under it.
    versions: BTreeMap<&'static str, String>,
    cache: Option<Cache>,
}

#[derive(Debug, Serialize)]
struct Cache {
    folder: String,
    /// Files that were there before, and those that the load has made; none new: everything was found there.
    files_before: usize,
    new_files: usize,
}

fn is_path(name: &str) -> bool {
    name.contains(['/', '\\']) || [".so", ".dll", ".dylib"].iter().any(|end| name.ends_with(end))
}

impl Asked {
    fn new(given: &Provider) -> Result<Self> {
        let name = &given.name;
        let json = if given.options.trim().is_empty() { "{}" } else { &given.options };
        let (route, official, settings, advice) = if is_path(name) {
            let path = std::path::absolute(name).map_err(|error| {
                Error::argument(format!("provider {name:?} is not a usable path: {error}"))
            })?;
            (Route::Plugin(path), String::new(), options::plugin as fn(&str) -> _, PLUGIN_ADVICE)
        } else {
            let known = KNOWN.iter().find(|known| known.name == name).ok_or_else(|| {
                let names: Vec<&str> = KNOWN.iter().map(|known| known.name).collect();
                Error::argument(format!(
                    "there is no provider {name:?}; valid {}, or the path of a plug-in provider's library",
                    names.join(", ")
                ))
            })?;
            (known.route.clone(), known.official.to_owned(), known.settings, known.advice)
        };
        let settings = settings(json).map_err(|error| {
            Error::argument(format!("the options of provider {name:?}: {}", error.message()))
        })?;
        let cached_files = settings.cache.as_deref().map_or(0, files_in);
        Ok(Self { given: given.clone(), route, official, settings, advice, missing: None, cached_files })
    }

    fn is_cpu(&self) -> bool {
        matches!(self.route, Route::Cpu)
    }

    fn is_required(&self) -> bool {
        self.given.need == Need::Required
    }

    fn refused(&self, reason: &str) -> Error {
        let Self { given, advice, .. } = self;
        Error::new(Status::Provider, format!("provider {:?} cannot be used: {reason}: {advice}", given.name))
    }

    fn leave_out(&mut self, reason: &str) {
        log::emit(Level::Warning, || {
            format!("provider {:?}, which is preferred, is not used: {reason}", self.given.name)
        });
        self.missing = Some(reason.to_owned());
    }
}

impl Providers {
    /// None: the CPU.
    pub fn new(asked: &[Provider]) -> Result<Self> {
        let asked = asked.iter().map(Asked::new).collect::<Result<Vec<_>>>()?;
        for (index, one) in asked.iter().enumerate() {
            if asked[..index].iter().any(|other| other.given.name == one.given.name) {
                return Err(Error::argument(format!("provider {:?} is named twice", one.given.name)));
            }
        }
        Ok(Self { asked, placement: Placement::default(), seconds: 0.0 })
    }

    /// Tells ONNX Runtime of all that are still wanted.
    pub fn add_to(&mut self, mut builder: SessionBuilder) -> Result<SessionBuilder> {
        for one in self.asked.iter_mut().filter(|one| one.missing.is_none()) {
            match append::append(&mut builder, one) {
                Ok(()) => {}
                Err(error) if one.is_required() => return Err(one.refused(error.message())),
                Err(error) => one.leave_out(error.message()),
            }
        }
        Ok(builder)
    }

    /// After ONNX Runtime refused the network with a reason: gives the first preferred provider up, if there is one, for
    /// another try. An error that names the required ones, if there are.
    pub fn give_up_one(&mut self, error: Error) -> Result<()> {
        let mut wanted = self.asked.iter_mut().filter(|one| one.missing.is_none() && !one.is_cpu());
        match wanted.by_ref().find(|one| !one.is_required()) {
            Some(one) => {
                one.leave_out(error.message());
                Ok(())
            }
            None => Err(error),
        }
    }

    /// Looks at which provider took which nodes, and refuses a network that a required one does not run.
    pub fn judge(&mut self, session: &Session, seconds: f64) -> Result<()> {
        self.seconds = seconds;
        self.placement = Placement::of(session)?;
        let all = self.placement.count();
        let cpu_named = self.asked.iter().any(Asked::is_cpu);
        for one in self.asked.iter().filter(|one| one.is_required() && !one.is_cpu()) {
            if self.placement.nodes(&one.official).is_empty() {
                return Err(one.refused(&format!("it takes none of the network's {all} nodes")));
            }
            let fallen = self.placement.nodes(CPU);
            if !cpu_named && !fallen.is_empty() {
                let shown = fallen[..fallen.len().min(5)].join(", ");
                return Err(one.refused(&format!(
                    "{} of the network's {all} nodes would run on the CPU ({shown}{}); name \"cpu\" behind it to allow \
                     that",
                    fallen.len(),
                    if fallen.len() > 5 { ", …" } else { "" }
                )));
            }
        }
        Ok(())
    }

    /// The least exact of those that run a part of the network.
    pub fn precision(&self) -> Precision {
        let used = self.asked.iter().filter(|one| self.is_used(one)).map(|one| one.settings.precision);
        used.fold(Precision::Manifest, |a, b| if b > a { b } else { a })
    }

    fn is_used(&self, one: &Asked) -> bool {
        one.missing.is_none() && !self.placement.nodes(&one.official).is_empty()
    }

    /// Whether anything but the CPU runs a part of the network.
    pub fn leaves_cpu(&self) -> bool {
        self.asked.iter().any(|one| !one.is_cpu() && self.is_used(one))
    }

    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// One record for each that was asked for, and for the CPU where it runs something without being asked.
    pub fn records(&self) -> Vec<Record<'_>> {
        let record = |one: &'_ Asked| {
            let cache = one.settings.cache.as_deref().map(|folder| Cache {
                folder: folder.display().to_string(),
                files_before: one.cached_files,
                new_files: files_in(folder).saturating_sub(one.cached_files),
            });
            let used = self.is_used(one);
            let nvidia = matches!(one.route, Route::Cuda | Route::TensorRt);
            (
                used,
                cache,
                if used && nvidia { nvidia::versions(one.settings.device) } else { BTreeMap::new() },
            )
        };
        let mut records: Vec<Record<'_>> = Vec::new();
        for one in &self.asked {
            let (used, cache, versions) = record(one);
            let nodes = self.placement.nodes(&one.official);
            let none = "it takes none of the network's nodes";
            records.push(Record {
                name: &one.given.name,
                provider: &one.official,
                need: Some(one.given.need),
                options: serde_json::from_str(&one.given.options).ok(),
                used,
                reason: one.missing.as_deref().or((!used).then_some(none)),
                precision: one.settings.precision,
                node_count: nodes.len(),
                nodes,
                devices: if used { placement::devices(&one.official) } else { Vec::new() },
                versions,
                cache,
            });
        }
        let rest = self.placement.nodes(CPU);
        if !self.asked.iter().any(Asked::is_cpu) && (!rest.is_empty() || self.asked.is_empty()) {
            records.push(Record {
                name: "cpu",
                provider: CPU,
                need: None,
                options: None,
                used: true,
                reason: None,
                precision: Precision::Manifest,
                node_count: rest.len(),
                nodes: rest,
                devices: placement::devices(CPU),
                versions: BTreeMap::new(),
                cache: None,
            });
        }
        records
    }
}

fn files_in(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

/// The folder of ONNX Runtime's library, where the libraries of its providers lie.
fn beside_runtime() -> Option<PathBuf> {
    super::runtime::file()?.parent().map(Path::to_path_buf)
}
