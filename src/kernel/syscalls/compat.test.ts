import { expect, test } from "vitest";
import { stalePages } from "../../../scripts/compat-docs.ts";

test("docs/compat says what the rows say", () => {
  expect(stalePages()).toEqual([]);
});
