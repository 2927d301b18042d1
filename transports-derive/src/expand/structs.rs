//! Structs: a map of their fields, or a list where these have no names.

use proc_macro2::TokenStream;
use quote::quote;

use super::context::Context;
use super::flat;
use super::methods::{Methods, ruled};
use super::record::Body;
use crate::model::{Record, Style};

pub(super) fn expand(context: &Context<'_>, record: &Record) -> TokenStream {
    let input = context.input;
    let body = Body {
        context,
        record,
        path: quote!(Self),
        shadow_path: quote!(__Shadow),
        name: &input.name,
        own: true,
        tag: None,
    };
    let (_, ty_generics, _) = context.generics.split_for_impl();
    let declaration = declaration(&body);
    let (shadow, open, read) = (body.shadow(), body.open(), body.read());
    let methods = Methods {
        shadow_type: quote!(__Shadow #ty_generics),
        shadow: quote!(__Shadow { #shadow __generics: ::core::marker::PhantomData }),
        update: body.update(),
        same: body.same(),
        diff: diff(&body),
        write: body.write(),
        read: quote!(#open #read),
        edit: edit(&body),
        admit: admit(&body),
        inherit: body.inherit(),
        check: body.check(),
        reveal: body.reveal(),
        ty: ty(&body),
    };
    let (methods, flat) = (methods.expand(context), flat::implement(&body));
    let apart = flat::assert_apart(&body);
    quote!(#declaration #methods #flat #apart)
}

fn declaration(body: &Body<'_>) -> TokenStream {
    let generics = &body.context.generics;
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let params = generics.type_params().map(|param| &param.ident);
    let fields = body.shadow_fields();
    quote! {
        #[allow(unreachable_pub, missing_debug_implementations, missing_docs)]
        pub struct __Shadow #impl_generics #where_clause {
            #fields
            __generics: ::core::marker::PhantomData<fn() -> (#(#params,)*)>,
        }
    }
}

fn diff(body: &Body<'_>) -> TokenStream {
    let (context, fields) = (body.context, body.diff());
    if !body.is_flat() {
        return ruled(context, fields);
    }
    let (private, reshaped) = (&context.private, flat::reshaped(body));
    let fields = ruled(context, fields);
    quote! {
        if #reshaped {
            __out.set(__at, self);
            *__shadow = <Self as #private::Synced>::shadow(self);
            return;
        }
        #fields
    }
}

fn edit(body: &Body<'_>) -> TokenStream {
    let private = &body.context.private;
    let below = body.edit();
    let whole = match body.record.style {
        Style::Tuple => {
            let len = body.record.fields.len();
            quote!(#private::edit_tuple(self, __edit, __author, #len))
        }
        _ => quote!(#private::edit_whole(self, __edit, __author)),
    };
    quote! {
        if __path.is_empty() {
            return #whole;
        }
        #below
    }
}

fn admit(body: &Body<'_>) -> TokenStream {
    let private = &body.context.private;
    let fields = body.admit();
    if fields.is_empty() {
        return fields;
    }
    quote!(#fields #private::Ok(()))
}

fn ty(body: &Body<'_>) -> TokenStream {
    let private = &body.context.private;
    let (name, doc) = (body.name, &body.context.input.doc);
    if body.record.style == Style::Tuple {
        let types = body.types();
        return quote! {
            #private::Type::TupleStruct(#name, || #private::tuple_struct::<Self>(#name, #doc, #types))
        };
    }
    let fields = body.schema();
    quote!(#private::Type::Model(#name, || #private::schema::<Self>(#name, #doc, &#fields)))
}
