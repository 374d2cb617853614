import { expect, test } from "vitest";
import { extractHtml } from "./html-text.ts";
import { DEFAULT_CAPS, extractText } from "./text-extractor.ts";

const still = (): number => 0;
const extract = (html: string, caps = DEFAULT_CAPS) => extractHtml(html, caps, still);

test("keeps title, headings and words apart; leaves scripts, styles and site furniture out", () => {
  const page = extract(`<!doctype html><html lang="de-CH"><head><title> Der
    See </title><style>p{}</style><script>var x = "hidden"</script><meta name="description" content="Ein Teich."></head>
    <body><nav>Start Impressum</nav><h1>Am <em>Ufer</em></h1><p>Ein<b>zel</b>wort</p><p>neu</p>
    <img alt="Ein Boot"><footer>unten</footer></body></html>`);
  expect(page).toMatchObject({ title: "Der See", headings: "Am Ufer", declaredLanguage: "de", complete: true });
  expect(page.body.split("\n")).toEqual(["Ein Teich.", "Am Ufer", "Einzelwort", "neu", "Ein Boot"]);
});

test("markup that is never closed still gives its text", () => {
  expect(extract("<title>T</title><p>one<p>two<div><b>three").body).toBe("one\ntwo\nthree");
});

test("a million nested elements end at the depth cap, with what came before", () => {
  const page = extract(`<p>before</p>${"<div>".repeat(1_000_000)}after`);
  expect(page).toMatchObject({ body: "before", complete: false });
});

test("attributes of megabytes are not text", () => {
  const page = extract(`<p data-x="${"lake ".repeat(1_000_000)}" ${"a=b ".repeat(100_000)}>seen</p>`);
  expect(page).toMatchObject({ body: "seen", complete: true });
});

test("body, headings and title are cut at their caps", () => {
  const caps = { ...DEFAULT_CAPS, bodyChars: 100, headingChars: 10, titleChars: 5 };
  const page = extract(`<title>${"t".repeat(50)}</title>${"<h1>head</h1>".repeat(20_000)}`, caps);
  expect(page.title).toBe("ttttt");
  expect(page.body.length).toBeLessThanOrEqual(100);
  // The heading that crosses the cap is kept whole.
  expect(page.headings.replaceAll("\n", "").length).toBeLessThan(10 + "head".length);
  expect(page.complete).toBe(false);
});

test("parsing ends at its deadline", () => {
  let nowMs = 0;
  const clock = (): number => {
    nowMs += 1_000;
    return nowMs;
  };
  const page = extractHtml(`<p>first</p>${"<p>word</p>".repeat(50_000)}<p>last</p>`, DEFAULT_CAPS, clock);
  expect(page.complete).toBe(false);
  expect(page.body).toMatch(/^first/);
  expect(page.body).not.toContain("last");
});

test("a page without a title takes its first heading, then the name of its file", () => {
  const of = (html: string) =>
    extractText(
      {
        url: "https://www.example.org/a/J%C3%A4ger.html?x=1",
        mime: "text/html",
        contentType: undefined,
        body: Buffer.from(html),
      },
      DEFAULT_CAPS,
      still,
    ).title;
  expect(of("<title>T</title><h1>H</h1>")).toBe("T");
  expect(of("<h1>H</h1><h2>I</h2>")).toBe("H");
  expect(of("<p>text</p>")).toBe("Jäger.html");
});

test("other types give the name of their file only", () => {
  const input = { url: "https://www.example.org/report.pdf", mime: "application/pdf", contentType: undefined };
  expect(extractText({ ...input, body: Buffer.from("%PDF") }, DEFAULT_CAPS, still)).toMatchObject({
    title: "report.pdf",
    body: "",
  });
});
