import { expect, test } from "vitest";
import { federationOptions } from "./federation-options.ts";

test("addresses become base URLs", () => {
  expect(
    federationOptions({
      seed: ["https://127.0.0.1:9443", "https://b.example/"],
      trust: "Private",
      advertise: "https://a.example:8443",
      allowNet: ["10.0.0.0/8", "fd00::/8"],
    }),
  ).toEqual({
    seeds: ["https://127.0.0.1:9443/api/v1/federation", "https://b.example/api/v1/federation"],
    trust: "Private",
    advertise: "https://a.example:8443/api/v1/federation",
    allowNets: ["10.0.0.0/8", "fd00::/8"],
  });
});

test.each([
  [{ seed: ["http://a.example"] }, "--seed"],
  [{ seed: Array.from({ length: 17 }, () => "https://a.example") }, "--seed: at most 16"],
  [{ advertise: "a.example" }, "--advertise"],
  [{ trust: "public" }, "--trust"],
  [{ allowNet: ["10.0.0.0"] }, "--allow-net"],
  [{ allowNet: ["10.0.0.0/33"] }, "--allow-net"],
  [{ allowNet: ["lan/8"] }, "--allow-net"],
])("%j is refused by its name", (offered, said) => {
  expect(() => federationOptions(offered)).toThrow(said);
});
