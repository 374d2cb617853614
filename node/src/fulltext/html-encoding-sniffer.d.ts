/** Types of the part used here; the package ships none. */
declare module "html-encoding-sniffer" {
  /** Name of the encoding by BOM, transport, `meta`, else `defaultEncoding`. */
  function sniffHtmlEncoding(bytes: Uint8Array, options?: { readonly defaultEncoding?: string }): string;
  export = sniffHtmlEncoding;
}
