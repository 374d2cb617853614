import { describe, expect, test } from "vitest";
import { CdxError } from "./errors.ts";
import { parseQuery } from "./pywb-params.ts";

const LIMITS = { maxRows: 9_000, now: new Date("2026-11-24T01:02:03.456Z") };
const parse = (query: string) => parseQuery(new URLSearchParams(query), LIMITS);
const refusal = (query: string): unknown => {
  try {
    return parse(query);
  } catch (thrown) {
    return thrown;
  }
};

describe("parameters", () => {
  test("unset ones are pywb's defaults", () => {
    expect(parse("url=example.com")).toEqual({
      range: { matchType: "exact", keyFrom: "com,example)/", keyTo: undefined },
      from: undefined,
      to: undefined,
      filters: [],
      collapseTime: undefined,
      resolveRevisits: false,
      closest: undefined,
      reverse: false,
      limit: 9_000,
      fields: undefined,
      output: "cdxj",
      paging: undefined,
      countPages: false,
    });
  });

  test.each([
    ["", "url"],
    ["url=", "url"],
    ["url=*", "url"],
    ["url=a.b&matchType=range", "matchType"],
    ["url=a.b&from=2014x", "from"],
    ["url=a.b&from_ts=123456789012345", "from"],
    ["url=a.b&to=-1", "to"],
    ["url=a.b&closest=yesterday", "closest"],
    ["url=a.b&showPagedIndex=true", "showPagedIndex"],
    ["url=a.b&collapseTime=ten", "collapseTime"],
    ["url=a.b&limit=-5", "limit"],
    ["url=a.b&limit=1e3", "limit"],
    ["url=a.b&output=xml", "output"],
    ["url=a.b&page=-1", "page"],
    ["url=a.b&pageSize=0", "pageSize"],
    ["url=a.b&pageSize=many", "pageSize"],
  ])("%s is refused and the parameter named", (query, parameter) => {
    const error = refusal(query);
    expect(error).toBeInstanceOf(CdxError);
    expect(error).toMatchObject({ code: "BAD_QUERY", details: { parameter } });
    expect((error as CdxError).message).toMatch(new RegExp(`^${parameter}: `));
  });

  test.each([
    ["2", "20000101000000", "29991231235959"],
    ["2014", "20140101000000", "20141231235959"],
    ["20141", "20141001000000", "20141231235959"],
    ["20140126200930", "20140126200930", "20140126200930"],
  ])("from and to %s cover all times that begin so", (digits, from, to) => {
    expect(parse(`url=a.b&from=${digits}&to=${digits}`)).toMatchObject({ from, to });
  });

  test.each([
    ["20131226095010", "20131226095010"],
    ["2014122609501", "20141226095059"],
    ["201412260950", "20141226095059"],
    ["20141226", "20141226235959"],
    ["2014122", "20141231235959"],
    ["201410", "20141031235959"],
    ["20141", "20141231235959"],
    ["2016", "20161231235959"],
    ["201602", "20160229235959"],
    ["201", "20191231235959"],
    ["3", "29991231235959"],
    ["20131709005601", "20131209005601"],
    ["now", "20261124010203"],
  ])("closest %s is the end of the time it names", (given, closest) => {
    expect(parse(`url=a.b&closest=${given}`)).toMatchObject({ closest });
  });

  test.each([
    ["", 9_000],
    ["&limit=", 9_000],
    ["&limit=0", 9_000],
    ["&limit=5", 5],
    ["&limit=999999999999", 9_000],
    ["&limit=5&limit=6", 6],
  ])("limit%s", (query, limit) => {
    expect(parse(`url=a.b${query}`).limit).toBe(limit);
  });

  test.each([
    ["&page=2", { page: 2, pageSize: 3 }],
    ["&pageSize=2", { page: 0, pageSize: 2 }],
    ["&pageSize=50", { page: 0, pageSize: 3 }],
    ["&showNumPages=true", { page: 0, pageSize: 3 }],
    ["&showNumPages=false", undefined],
  ])("pages of %s hold no more than an answer may", (query, paging) => {
    expect(parse(`url=a.b${query}`).paging).toEqual(paging);
  });

  test("empty ones and those that change no answer are ignored, as old clients send them", () => {
    expect(parse("url=a.b&closest=&filter=&page=&sort=closest&gzip=false&allowFuzzy=0")).toEqual(parse("url=a.b"));
  });

  test.each([
    ["collapse=timestamp:10", "collapse", /collapseTime=10/],
    ["offset=3", "offset", /page and pageSize/],
    ["showResumeKey=true", "showResumeKey", /page and pageSize/],
    ["limit=-2", "limit", /sort=reverse/],
    ["sort=newest", "sort", /one of default, reverse, closest/],
    // The URL http://a.b/?x=1&y=2, written as it is.
    ["y=2", "y", /write & there as %26/],
    ["y=", "y", /write & there as %26/],
    [`${encodeURIComponent("<script>")}=2`, "a parameter", /write & there as %26/],
  ])("%s is refused by name, with what to do", (query, parameter, hint) => {
    const refused = refusal(`url=http://a.b/?x=1&${query}`);
    expect(refused).toMatchObject({ code: "BAD_QUERY", details: { parameter } });
    expect((refused as Error).message).toMatch(hint);
  });
});
