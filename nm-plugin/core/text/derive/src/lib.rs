//! `#[derive(Localize)]`: what an error says to users, from the same `#[error("…")]` texts that
//! `thiserror` makes its `Display` of. An error's text is so written once, and its translation
//! cannot be forgotten.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, Fields, Ident, LitStr, Token, parse_macro_input,
};

/// Implements `Localize` by the texts in `#[error("…")]`.
#[proc_macro_derive(Localize)]
pub fn localize(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

/// What `#[error(…)]` holds.
enum Wording {
    /// The error inside says it.
    Transparent,
    Text(LitStr, Vec<(Ident, Expr)>),
}

impl Parse for Wording {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(Ident) {
            let word: Ident = input.parse()?;
            return match word == "transparent" {
                true => Ok(Self::Transparent),
                false => Err(Error::new(word.span(), "expected a text or `transparent`")),
            };
        }
        let text = input.parse()?;
        let mut values = Vec::new();
        while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            let name = input.parse()?;
            input.parse::<Token![=]>()?;
            values.push((name, input.parse()?));
        }
        Ok(Self::Text(text, values))
    }
}

fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let name = &input.ident;
    let arms = match &input.data {
        Data::Enum(data) => data
            .variants
            .iter()
            .map(|variant| {
                let ident = &variant.ident;
                arm(&quote!(Self::#ident), &variant.attrs, &variant.fields)
            })
            .collect::<syn::Result<Vec<_>>>()?,
        Data::Struct(data) => vec![arm(&quote!(Self), &input.attrs, &data.fields)?],
        Data::Union(_) => return Err(Error::new(name.span(), "a union says nothing")),
    };
    let (generics, arguments, conditions) = input.generics.split_for_impl();
    Ok(quote! {
        impl #generics ::aws_client_vpn_text::message::Localize for #name #arguments #conditions {
            fn message(&self) -> ::aws_client_vpn_text::message::Message {
                match self { #(#arms)* }
            }
        }
    })
}

fn arm(path: &TokenStream, attributes: &[Attribute], fields: &Fields) -> syn::Result<TokenStream> {
    let attribute = attributes
        .iter()
        .find(|attribute| attribute.path().is_ident("error"))
        .ok_or_else(|| Error::new_spanned(path, "an `#[error(\"…\")]` text is missing"))?;
    let bindings: Vec<Ident> = fields
        .iter()
        .enumerate()
        .map(|(index, field)| {
            let name = field.ident.clone();
            name.unwrap_or_else(|| format_ident!("_{index}"))
        })
        .collect();
    let pattern = match fields {
        Fields::Named(_) => quote!({ #(#bindings),* }),
        Fields::Unnamed(_) => quote!(( #(#bindings),* )),
        Fields::Unit => quote!(),
    };
    let body = match attribute.parse_args::<Wording>()? {
        Wording::Transparent => {
            let inner = bindings
                .first()
                .ok_or_else(|| Error::new_spanned(attribute, "there is no error inside"))?;
            quote!(::aws_client_vpn_text::message::Localize::message(#inner))
        }
        Wording::Text(text, values) => message(&text, &values, &bindings)?,
    };
    Ok(quote! {
        #[allow(unused_variables, clippy::allow_attributes, clippy::pattern_type_mismatch)]
        #path #pattern => #body,
    })
}

fn message(text: &LitStr, values: &[(Ident, Expr)], fields: &[Ident]) -> syn::Result<TokenStream> {
    let mut calls = Vec::new();
    let mut named = Punctuated::<String, Token![,]>::new();
    for name in placeholders(text)? {
        if named.iter().any(|known| *known == name) {
            continue;
        }
        let value = match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => quote!(&(#value)),
            None => {
                let binding = match name.parse::<usize>() {
                    Ok(index) => format_ident!("_{index}", span = text.span()),
                    Err(_) => Ident::new(&name, text.span()),
                };
                // A field is bound by reference; a constant is not.
                match fields.contains(&binding) {
                    true => quote!(#binding),
                    false => quote!(&#binding),
                }
            }
        };
        calls.push(quote!(.with(#name, #value)));
        named.push(name);
    }
    Ok(quote!(::aws_client_vpn_text::message::Message::new(#text)#(#calls)*))
}

/// The names between the braces of a text.
fn placeholders(text: &LitStr) -> syn::Result<Vec<String>> {
    let content = text.value();
    let mut names = Vec::new();
    let mut rest = content.as_str();
    while let Some((_, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').unwrap_or(("", after));
        let plain = name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_');
        if name.is_empty() || !plain {
            return Err(Error::new(
                text.span(),
                "a text that is translated has placeholders with a name or number and no format",
            ));
        }
        names.push(name.to_owned());
        rest = behind;
    }
    Ok(names)
}
