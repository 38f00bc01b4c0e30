//! All numbers of a network in one list, and its gradients as one vector.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

/// Every number of a network that is out of training, running statistics too, in the order of its parts.
pub fn flatten(network: &impl Module) -> Vec<f32> {
    struct Collect(Vec<f32>);
    impl ModuleVisitor for Collect {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let data = param.val().into_data().convert::<f32>();
            self.0.extend(data.try_to_vec::<f32>().expect("the data were converted to f32"));
        }
    }
    let mut all = Collect(Vec::new());
    network.visit(&mut all);
    all.0
}

/// The same network with other numbers, as [`flatten`] has them. Panics if they are not as many.
pub fn replace<M: Module>(network: M, weights: &[f32]) -> M {
    struct Put<'a>(&'a [f32]);
    impl ModuleMapper for Put<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|old| {
                let (mine, rest) = self.0.split_at(old.dims().iter().product());
                self.0 = rest;
                Tensor::from_data(TensorData::new(mine.to_vec(), old.dims()), &old.device())
            })
        }
    }
    let mut put = Put(weights);
    let network = network.map(&mut put);
    assert!(put.0.is_empty(), "{} numbers too many for the network", put.0.len());
    network
}

/// Moves a list of numbers towards those of `network`, of which `1 - keep` come in.
pub fn follow(average: &mut [f32], network: &impl Module, keep: f32) {
    let now = flatten(network);
    average.iter_mut().zip(now).for_each(|(a, now)| *a = keep * *a + (1.0 - keep) * now);
}

/// Scales all gradients by one factor where their norm, taken over all of them together, is above `max`; what
/// `torch.nn.utils.clip_grad_norm_` does. Returns the norm before.
pub fn clip_global_norm(network: &impl Module, gradients: &mut GradientsParams, max: f64) -> f64 {
    struct Sum<'a>(&'a GradientsParams, f64);
    impl ModuleVisitor for Sum<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.0.get::<D>(param.id) {
                self.1 += f64::from(gradient.powi_scalar(2).sum().into_scalar::<f32>());
            }
        }
    }
    struct Scale<'a>(&'a mut GradientsParams, f64);
    impl ModuleVisitor for Scale<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.0.remove::<D>(param.id) {
                self.0.register(param.id, gradient * self.1);
            }
        }
    }
    let mut sum = Sum(gradients, 0.0);
    network.visit(&mut sum);
    let norm = sum.1.sqrt();
    if norm > max {
        network.visit(&mut Scale(gradients, max / (norm + 1e-6)));
    }
    norm
}
