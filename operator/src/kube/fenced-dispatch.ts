/** Asks the write fence at the moment a request goes to its socket, after any wait for a free connection. */
import type { Dispatcher } from "undici";
import type { WriteFence } from "./write-fence.ts";

/** Composed over the Agent for mutating requests; `refusal` is what the caller gets. */
export function fencedDispatch(
  fence: WriteFence,
  refusal: () => Error,
): (dispatch: Dispatcher["dispatch"]) => Dispatcher["dispatch"] {
  return (dispatch) => (options, handler) =>
    dispatch(options, {
      onRequestStart: (controller, context) => {
        handler.onRequestStart?.(controller, context);
        if (!fence.isOpen()) controller.abort(refusal());
      },
      onResponseStart: (...args) => handler.onResponseStart?.(...args),
      onResponseData: (...args) => handler.onResponseData?.(...args),
      onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
      onResponseError: (...args) => handler.onResponseError?.(...args),
    });
}
