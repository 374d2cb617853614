/** The API refuses exactly the collection names whose paths a node serves itself; neither package may import the other. */
import { RESERVED_COLLECTION_NAMES as REFUSED } from "@archivestream/crds";
import { RESERVED_COLLECTION_NAMES as SERVED } from "@archivestream/node/contract";
import { expect, it } from "vitest";

it("the names that the API refuses are those that the node reserves", () => {
  expect(REFUSED.toSorted()).toEqual(SERVED.toSorted());
});
