"""The stock drawer, with what was read beside each line of text."""

from picasso.draw import LabelDraw, ObjectDraw
from picasso.module import NvDsDrawFunc, ObjectMeta


class ShowText(NvDsDrawFunc):
    def override_draw_spec(self, object_meta: ObjectMeta, draw_spec: ObjectDraw) -> ObjectDraw:
        text = object_meta.get_attr_meta("reader", "text")
        label = draw_spec.label
        if text is None or label is None:
            return draw_spec
        line = text.value.replace("{", "{{").replace("}", "}}")
        shown = LabelDraw(label.font_color, label.background_color, label.border_color, label.font_scale, format=[line])
        return ObjectDraw(draw_spec.bounding_box, draw_spec.central_dot, shown, draw_spec.blur)
