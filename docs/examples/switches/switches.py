"""What is done with a source is read from etcd, for each frame; reading costs microseconds."""

from picasso.module import Frame, PyFunc, eval_expr


class Switch(PyFunc):
    """Follows the key ``sources/<source id>``: ``encode``, ``metadata``, or ``off``."""

    default: str = "encode"

    def __call__(self, frame: Frame) -> None:
        word, _is_kept = eval_expr(f'etcd("sources/{frame.source_id}", "{self.default}")', ttl=50)
        frame.set_tag("switch", str(word))
        if word == "off":
            frame.drop("switched_off")
        elif word == "encode":
            frame.set_tag("encode")
