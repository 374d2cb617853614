/** Alerts and dashboard: every expression is PromQL, names only metrics that exist, and each comes when it is asked for. */
import { readFile } from "node:fs/promises";
import { parser } from "@prometheus-io/lezer-promql";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { type Manifest, render } from "../../test/testkit/chart.ts";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}
interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    /** A row has none. */
    readonly targets?: readonly { readonly expr: string }[];
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  }[];
}
interface RuleManifest extends Manifest {
  readonly metadata: Manifest["metadata"] & { readonly labels?: Readonly<Record<string, string>> };
  readonly spec: { readonly groups: readonly { readonly rules: readonly Rule[] }[] };
}
interface ConfigMapManifest extends Manifest {
  readonly metadata: Manifest["metadata"] & { readonly labels?: Readonly<Record<string, string>> };
  readonly data: Readonly<Record<string, string>>;
}

const file = (name: string) => readFile(new URL(`../archive-operator/files/${name}`, import.meta.url), "utf8");
const alerts = async () => parse(await file("alerts.yaml")) as readonly Rule[];
const dashboard = async () => JSON.parse(await file("dashboard.json")) as Dashboard;

/** Where the text stops being PromQL; empty when all of it is. */
function mistakes(expression: string): readonly string[] {
  const found: string[] = [];
  parser.parse(expression).iterate({
    enter: ({ type, from }) => {
      if (type.isError) found.push(`${expression.slice(0, from)} >>> ${expression.slice(from)}`);
    },
  });
  return found;
}

it("every expression is PromQL", async () => {
  expect(mistakes("sum by (a) (rate(b[5m])")).toHaveLength(1);
  const expressions = [
    ...(await alerts()).map(({ expr }) => expr),
    ...(await dashboard()).panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ];
  expect(expressions.length).toBeGreaterThan(20);
  expect(expressions.flatMap(mistakes)).toEqual([]);
});

it("an alert says how bad it is, what happened, and what to do", async () => {
  for (const { alert, labels, annotations } of await alerts()) {
    expect(["critical", "warning", "info"], alert).toContain(labels.severity);
    expect(annotations.summary.length, alert).toBeGreaterThan(10);
    expect(annotations.description.length, alert).toBeGreaterThan(40);
  }
  const names = (await alerts()).map(({ alert }) => alert);
  expect(new Set(names).size).toBe(names.length);
});

it("no panel covers another", async () => {
  const { panels } = await dashboard();
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, index) => `${x + (index % w)}/${y + Math.floor(index / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
});

it("neither comes unasked", async () => {
  const kinds = await render();
  expect(kinds.filter(({ kind }) => kind === "PrometheusRule")).toEqual([]);
  expect(kinds.filter(({ metadata }) => metadata.name.includes("dashboard"))).toEqual([]);
});

it("alerts come as a PrometheusRule with the labels that were asked for, and unchanged", async () => {
  const manifests = await render("metrics.alerts.enabled=true", "metrics.alerts.labels.release=prometheus");
  const rule = manifests.find(({ kind }) => kind === "PrometheusRule") as RuleManifest;
  expect(rule.metadata.labels?.["release"]).toBe("prometheus");
  expect(rule.spec.groups.flatMap(({ rules }) => rules)).toEqual(await alerts());
});

it("the dashboard comes as a ConfigMap for the side-car, and unchanged", async () => {
  const manifests = await render("metrics.dashboard.enabled=true");
  const map = manifests.find(({ metadata }) => metadata.name === "archive-operator-dashboard") as ConfigMapManifest;
  expect(map.metadata.labels?.["grafana_dashboard"]).toBe("1");
  expect(Object.values(map.data).map((text) => JSON.parse(text) as unknown)).toEqual([await dashboard()]);
});
