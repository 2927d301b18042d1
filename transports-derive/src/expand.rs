//! The model to tokens; cannot fail.
//!
//! A field's type is named in many places, and each would complain about a type that cannot be synced. One does, see
//! [`context`]; the others go through a type that the compiler knows to be in error then, and keep silent.

mod context;
mod enums;
mod flat;
mod methods;
mod names;
mod newtype;
mod record;
mod structs;

use proc_macro2::TokenStream;
use quote::quote;

use self::context::Context;
use crate::model::{Input, Shape};

pub(crate) fn expand(input: &Input) -> TokenStream {
    let context = Context::new(input);
    let body = match &input.shape {
        Shape::Struct(record) => structs::expand(&context, record),
        Shape::Newtype(field) => newtype::expand(&context, field),
        Shape::Names(variants) => names::expand(&context, variants),
        Shape::Enum(tagging, variants) => enums::expand(&context, tagging, variants),
    };
    let checked = context.checked();
    quote! {
        #[doc(hidden)]
        const _: () = { #checked #body };
    }
}
